//! The control plane that all tests of a process share, or one of the caller's own.

use std::ops::Deref;

use crate::ControlPlane;

/// Either of the two.
#[derive(Debug)]
pub enum Plane {
    /// That of this process: others use it too.
    Shared(&'static ControlPlane),
    /// Nobody else's: an operator may see all of it, and its apiserver and etcd may be stopped.
    Own(Box<ControlPlane>),
}

impl Plane {
    /// See [`ControlPlane::shared`].
    pub async fn shared() -> Self {
        Self::Shared(ControlPlane::shared().await)
    }

    /// A new one, with CRD and chart.
    pub async fn own() -> Self {
        let plane = ControlPlane::start().await;
        plane.install_chart(&[]).await;
        Self::Own(Box::new(plane))
    }
}

impl Deref for Plane {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::Shared(plane) => plane,
            Self::Own(plane) => plane,
        }
    }
}
