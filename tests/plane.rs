//! The control plane of a world: the one that all tests share, or one of its own.

use std::ops::Deref;

use seatkeeper_support::ControlPlane;

pub enum Plane {
    Shared(&'static ControlPlane),
    Own(Box<ControlPlane>),
}

impl Plane {
    pub async fn shared() -> Self {
        Self::Shared(ControlPlane::shared().await)
    }

    /// One that nobody else uses, for an operator that sees all of it.
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
