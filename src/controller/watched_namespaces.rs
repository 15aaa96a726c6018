//! Which namespaces this operator is for: all, or those that `--namespace` names. Each of these is listed and watched on its own,
//! as a Role there allows, and no object is worked on before the first list of each has arrived.

use std::collections::HashMap;
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

/// State of the lists and watches of the scopes.
pub(super) struct Lists {
    /// The scopes whose list has not arrived yet.
    missing: Vec<Scope>,
    /// The last report about failing ones.
    failing: HashMap<Scope, String>,
}

impl Lists {
    /// No list has arrived.
    pub(super) fn awaited(scopes: Vec<Scope>) -> Self {
        Self { missing: scopes, failing: HashMap::new() }
    }

    /// Whether each list has arrived once.
    pub(super) fn are_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Handles an event of a watch; `complete`: a whole list. Returns whether that list was missing.
    pub(super) fn work(&mut self, scope: &Scope, complete: bool) -> bool {
        self.failing.remove(scope);
        let before = self.missing.len();
        self.missing.retain(|missing| !complete || missing != scope);
        self.missing.len() < before
    }

    /// Handles a failure of a watch. Returns whether it is new.
    pub(super) fn fails(&mut self, scope: &Scope, why: &str) -> bool {
        self.failing.insert(scope.clone(), why.to_owned()).as_deref() != Some(why)
    }

    /// The reason for starting no passes, if any.
    pub(super) fn waited_for(&self) -> Option<String> {
        let refused = self.missing.iter().find_map(|scope| Some((scope, self.failing.get(scope)?)));
        let sentence = match refused {
            Some((scope, why)) => format!("waiting for the first list of LicenseSeats in {scope}: {why}"),
            None => "waiting for the first list of LicenseSeats".to_owned(),
        };
        (!self.missing.is_empty()).then_some(sentence)
    }
}
