//! One way of building for each language. Each gives the bytes that its compiler made, a component or still a module,
//! and must never leave a file among the sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Error, at};
use super::recipe::{Guest, Language};
use super::tools::{Tools, run};

/// Builds `guest` from the sources at `tree`.
pub(crate) fn build(guest: &Guest, tree: &Path, tools: &Tools) -> Result<Vec<u8>, Error> {
    let source = tree.join(guest.source);
    let built = match guest.language {
        Language::RustWasi => rust(&source, "wasm32-wasip2", tree, tools)?,
        Language::RustBare => rust(&source, "wasm32-unknown-unknown", tree, tools)?,
        Language::C => c(&source, tools)?,
        Language::QuickJs => javascript(&source, &["--backend", "quickjs"], tools)?,
        // A clock needs no network: what is left out is not imported.
        Language::StarlingMonkey => {
            javascript(&source, &["--disable", "http", "--disable", "fetch-event"], tools)?
        }
        // What is fetched needs no server of its own.
        Language::StarlingMonkeyFetch => javascript(&source, &["--disable", "fetch-event"], tools)?,
        Language::Python => python(&source, tools)?,
    };
    fs::read(&built).map_err(at(&built))
}

fn rust(source: &Path, target: &str, tree: &Path, tools: &Tools) -> Result<PathBuf, Error> {
    let folder = tools.folder().join("target");
    // What panics name is where the sources lie, and that is nobody's business.
    let mut hidden = vec![format!("--remap-path-prefix={}=/wassette", tree.display())];
    hidden.push(format!("--remap-path-prefix={}=/tools", tools.folder().display()));
    hidden
        .extend(cargo_home().map(|home| format!("--remap-path-prefix={}=/cargo", home.display())));
    let mut cargo = tools.cargo()?;
    cargo.args(["build", "--quiet", "--release", "--locked", "--target", target]);
    cargo.arg("--manifest-path").arg(source.join("Cargo.toml"));
    run(cargo.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", hidden.join(" ")))?;
    Ok(folder.join(target).join("release").join(format!("{}.wasm", name(source))))
}

fn c(source: &Path, tools: &Tools) -> Result<PathBuf, Error> {
    let (name, folder) = (name(source), scratch(source, tools)?);
    run(tools.wit_bindgen()?.arg("c").arg(source.join("wit")).arg("--out-dir").arg(&folder))?;
    let bindings = name.replace('-', "_");
    let module = folder.join("module.wasm");
    let mut zig = tools.zig()?;
    zig.args(["cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-Oz", "-Wall", "-Wextra"]);
    zig.arg("-I").arg(&folder).arg(source.join(format!("{name}.c")));
    zig.arg(folder.join(format!("{bindings}.c")))
        .arg(folder.join(format!("{bindings}_component_type.o")));
    run(zig.arg("-Wl,--strip-debug").arg("-o").arg(&module))?;
    Ok(module)
}

fn javascript(source: &Path, flags: &[&str], tools: &Tools) -> Result<PathBuf, Error> {
    let (name, built) = (name(source), scratch(source, tools)?.join("component.wasm"));
    let mut jco = tools.jco()?;
    jco.args(["componentize", &format!("{name}.js"), "--wit", "wit", "--world-name", &name])
        .args(flags);
    // QuickJS looks for the source from where it runs.
    run(jco.current_dir(source).arg("--out").arg(&built))?;
    Ok(built)
}

fn python(source: &Path, tools: &Tools) -> Result<PathBuf, Error> {
    let (name, folder) = (name(source), scratch(source, tools)?);
    // Python leaves its own files beside what it imports: it gets a copy.
    let module = format!("{name}_app");
    let copy = folder.join(format!("{module}.py"));
    fs::copy(source.join(format!("{module}.py")), &copy).map_err(at(&copy))?;
    let mut componentize = tools.componentize_py()?;
    componentize.arg("--wit-path").arg(source.join("wit")).args(["--world", &name]);
    componentize.args(["componentize", &module, "--output", "component.wasm"]);
    run(componentize.current_dir(&folder))?;
    Ok(folder.join("component.wasm"))
}

/// The name of the source's folder: also that of its crate, of its world and of its main file.
fn name(source: &Path) -> String {
    source.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// An empty folder for what is made on the way.
fn scratch(source: &Path, tools: &Tools) -> Result<PathBuf, Error> {
    let folder = tools.folder().join("scratch").join(name(source));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(at(&folder))?;
    }
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    Ok(folder)
}

fn cargo_home() -> Option<PathBuf> {
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}
