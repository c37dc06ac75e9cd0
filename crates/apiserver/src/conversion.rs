//! [`Converter`], the conversion of objects between the versions of their kind.

use std::sync::Arc;

use klient_apimachinery::values::Map;

use crate::registry::Resource;
use crate::status::Result;
use crate::webhook::WebhookClients;

/// Converts objects between the versions of their kind.
pub(crate) struct Converter {
    clients: Arc<WebhookClients>,
}

impl Converter {
    pub(crate) fn new(clients: Arc<WebhookClients>) -> Self {
        Converter { clients }
    }

    /// The clients of conversion webhooks, and of all others.
    pub(crate) fn clients(&self) -> &Arc<WebhookClients> {
        &self.clients
    }

    /// Converts an object, without its `apiVersion` and `kind`, from the version of one resource to that of another.
    ///
    /// # Errors
    ///
    /// 500 if the conversion webhook of the kind fails.
    pub(crate) async fn convert(&self, from: &Resource, to: &Resource, object: Map) -> Result<Map> {
        if from.path() == to.path() {
            return Ok(object);
        }
        let stored = match from.conversion {
            Some(conversion) => (conversion.to_storage)(object),
            None => object,
        };
        Ok(match to.conversion {
            Some(conversion) => (conversion.from_storage)(stored),
            None => stored,
        })
    }
}
