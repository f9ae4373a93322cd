//! The secrets of a component, for whoever manages them. Calls read them from the store by
//! themselves, at the moment of use. No value may ever stand in an error or a log.

use wassette_store::ComponentId;
use zeroize::Zeroizing;

use crate::code::{blocking, in_turn};
use crate::error::PermissionError;
use crate::toolbox::Toolbox;

impl Toolbox {
    /// Sets secrets of the component `id`, and says how many. Those with other names stay.
    ///
    /// # Errors
    /// [`PermissionError::Unknown`] or [`PermissionError::Secret`]. Then none is set.
    pub async fn set_secrets(
        &self,
        id: &str,
        pairs: Vec<(String, Zeroizing<String>)>,
    ) -> Result<usize, PermissionError> {
        let (id, _) = self.owner(id).await?;
        let store = self.shared.store.clone();
        let set = move || Ok(store.set_secrets(&id, &pairs).map(|()| pairs.len())?);
        in_turn(&self.shared.writing, set).await?
    }

    /// The names of the secrets of the component `id`, sorted.
    ///
    /// # Errors
    /// [`PermissionError::Unknown`] or [`PermissionError::Secret`].
    pub async fn secret_names(&self, id: &str) -> Result<Vec<String>, PermissionError> {
        let (id, source) = self.owner(id).await?;
        let store = self.shared.store.clone();
        blocking(move || Ok(store.secrets(&id, &source)?.names().map(str::to_owned).collect()))
            .await?
    }

    /// The secrets of the component `id`, values and all, sorted by name. For the person who set
    /// them.
    ///
    /// # Errors
    /// [`PermissionError::Unknown`] or [`PermissionError::Secret`].
    pub async fn secret_values(
        &self,
        id: &str,
    ) -> Result<Vec<(String, Zeroizing<String>)>, PermissionError> {
        let (id, source) = self.owner(id).await?;
        let store = self.shared.store.clone();
        let read = move || {
            let secrets = store.secrets(&id, &source)?;
            let value = |name: &str| Some((name.to_owned(), secrets.get(name)?));
            Ok(secrets.names().filter_map(value).collect())
        };
        blocking(read).await?
    }

    /// Deletes secrets of the component `id`, and says which of `names` were not there.
    ///
    /// # Errors
    /// [`PermissionError::Unknown`] or [`PermissionError::Secret`]. Then none is deleted.
    pub async fn delete_secrets(
        &self,
        id: &str,
        names: Vec<String>,
    ) -> Result<Vec<String>, PermissionError> {
        let (id, _) = self.owner(id).await?;
        let store = self.shared.store.clone();
        in_turn(&self.shared.writing, move || Ok(store.delete_secrets(&id, &names)?)).await?
    }

    /// The component `id`, as the store knows it, and its source.
    async fn owner(&self, id: &str) -> Result<(ComponentId, String), PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?;
        Ok((component.store_id().clone(), component.source.clone()))
    }
}
