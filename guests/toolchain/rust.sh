#!/bin/sh
# rust.sh DIR [TARGET…] — makes a Rust toolchain in DIR that builds WebAssembly components, where `rustup target add`
# can't reach its server. It takes what Debian's archive, npm and cargo's registry have, needs no root and installs nothing.
#
#   Debian security  rustc-web (the compiler that Firefox is built with), rust-web-src (the standard library of that very
#                    version), and the two libraries that the compiler links
#   npm              @yowasp/clang, for the wasi-libc that std for WASI is linked with
#   rustup           the linkers that come with the toolchain at hand: rust-lld and wasm-component-ld
#
# Then: . DIR/env && cargo build --release --target wasm32-wasip2
#
# It must never touch the machine's own packages: apt's lists and archives live below DIR as well.
set -eu
dir=$1
shift
[ $# -gt 0 ] || set -- wasm32-wasip2 wasm32-unknown-unknown

mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/get" "$dir/bin"
dir=$(cd "$dir" && pwd)
private="-o Dir::State::Lists=$dir/apt/lists -o Dir::Cache=$dir/apt/cache -o APT::Sandbox::User=$(id -un) -o Debug::NoLocking=1"

# The libraries carry the version in their names, and Debian moves both with every Firefox: ask, don't write down.
# shellcheck disable=SC2086 # $private is a list of options
{
  apt-get $private -qq update
  std=$(apt-cache $private depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p' | head -n 1)
  llvm=$(apt-cache $private depends "$std" | sed -n 's/.*Depends: \(libllvm[0-9]*\)$/\1/p' | head -n 1)
  cd "$dir/get"
  apt-get $private -qq download rustc-web rust-web-src libstd-rust-web-dev "$std" "$llvm"
}
for package in *.deb; do dpkg -x "$package" "$dir/root"; done
npm pack --silent @yowasp/clang@22.0.0-git20542-10 > /dev/null
tar xzf yowasp-clang-*.tgz package/gen/llvm-resources.tar
mkdir -p sysroot
tar xf package/gen/llvm-resources.tar -C sysroot
libc=$dir/get/sysroot/lib/wasm32-wasip1

# The compiler, told where its libraries lie.
libraries=$(dirname "$(find "$dir/root/usr/lib" -name 'librustc_driver-*.so' | head -n 1)")
cat > "$dir/bin/rustc" <<END
#!/bin/sh
LD_LIBRARY_PATH=$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $dir/root/usr/bin/rustc "\$@"
END
chmod +x "$dir/bin/rustc"

linkers=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
cat > "$dir/env" <<END
export RUSTC=$dir/bin/rustc PATH=$linkers/gcc-ld:\$PATH
export CARGO_TARGET_WASM32_WASIP2_LINKER=$linkers/wasm-component-ld
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linkers/rust-lld
END
# shellcheck source=/dev/null
. "$dir/env"

# The standard library, once for each target. LTO needs the bitcode; no path of this machine may end in a guest.
registry=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -mindepth 1 -maxdepth 1 -type d 2> /dev/null | head -n 1)
flags="-Cembed-bitcode=yes --remap-path-prefix=${registry:-/none}=/crates --remap-path-prefix=$dir=/toolchain --remap-path-prefix=$dir/root/usr/lib/rustlib/src/rust=/rust"
mkdir -p "$dir/std/src"
printf '[package]\nname = "stub"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' > "$dir/std/Cargo.toml"
: > "$dir/std/src/lib.rs"
cd "$dir/std"
for target; do
  into=$dir/root/usr/lib/rustlib/$target/lib
  mkdir -p "$into/self-contained"
  case $target in *wasi*) cp "$libc"/crt1-*.o "$libc/libc.a" "$into/self-contained/" ;; esac
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags CARGO_PROFILE_RELEASE_PANIC=abort CARGO_TARGET_DIR=$dir/std/target \
    cargo build -q --release -Zbuild-std=std,panic_abort,panic_unwind --target "$target"
  find "target/$target/release/deps" -name '*.rlib' ! -name 'libstub*' -exec cp {} "$into/" \;
done
rm -rf "$dir/std" "$dir/get" "$dir/apt"
