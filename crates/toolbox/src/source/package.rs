//! Packages by their names: which image one is, by the configuration of `wkg`, which is read anew
//! each time.

use wassette_registry::PackageConfig;
use wassette_store::{Image, Package};

use crate::code::blocking;
use crate::error::LoadError;
use crate::load::LoadRequest;
use crate::toolbox::Toolbox;

impl Toolbox {
    /// The image that `package` is.
    pub(super) async fn image_of(
        &self,
        package: &Package,
        request: &LoadRequest,
    ) -> Result<Image, LoadError> {
        let path = self.shared.options.registries.packages.clone();
        let config = blocking(move || PackageConfig::read(path.as_deref())).await??;
        Ok(config.image(package, &self.client(request)).await?)
    }
}
