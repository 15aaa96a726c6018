//! Which namespaces this operator is for: all, or those that `--namespace` names. Each of these is listed and watched on its own,
//! as a Role there allows.

use std::fmt;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll, select_all};
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use serde::de::DeserializeOwned;

/// The scope of one list or watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope(Option<String>);

impl Scope {
    /// The scopes of an operator; no name means all namespaces.
    pub(super) fn of(namespaces: &[String]) -> Vec<Self> {
        if namespaces.is_empty() {
            return vec![Self(None)];
        }
        namespaces.iter().map(|namespace| Self(Some(namespace.clone()))).collect()
    }

    /// The one namespace, or `None` for all.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether it covers a namespace.
    pub(super) fn has(&self, namespace: &str) -> bool {
        self.namespace().is_none_or(|own| own == namespace)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace() {
            Some(namespace) => write!(f, "namespace {namespace}"),
            None => f.write_str("all namespaces"),
        }
    }
}

/// The events of a watch of one scope.
pub(super) type Told<K> = (Scope, Result<Event<K>, watcher::Error>);

/// Watches every scope, and takes up each watch again by itself.
pub(super) fn watch<K>(scopes: &[Scope], api: impl Fn(&Scope) -> Api<K>) -> SelectAll<BoxStream<'static, Told<K>>>
where
    K: kube::Resource + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    let one = |scope: &Scope| {
        let (events, scope) = (watcher(api(scope), watcher::Config::default()).default_backoff(), scope.clone());
        events.map(move |event| (scope.clone(), event)).boxed()
    };
    select_all(scopes.iter().map(one))
}
