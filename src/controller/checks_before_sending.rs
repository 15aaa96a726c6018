//! The checks just before the bytes of a change leave (docs/never-buys-twice.md, "Check"). Called by `act`.

use super::Context;
use crate::clock::Moment;

/// The last checks before the bytes leave. A replica that leads again is in another term than the one in which the pass got the
/// right to make its change: another replica may have led meanwhile, seen no record of this change, and
/// sent one of its own.
pub(super) fn may_leave(context: &Context, term: u64, started: Moment) -> Result<(), &'static str> {
    if !context.leadership.is_current() {
        return Err("another replica leads, or may");
    }
    if context.shutdown.is_cancelled() {
        return Err("the operator is shutting down");
    }
    if context.crd.outdated().is_some() {
        return Err("the CRD is older than the operator");
    }
    if started.age(Moment::now()) >= context.settings.send_deadline {
        return Err("the send deadline has passed");
    }
    if context.term() == term { Ok(()) } else { Err("another replica leads, or may") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::CrdState;

    #[tokio::test]
    async fn request_of_a_pass_that_began_in_a_former_term_is_held_back() {
        let context = Context::of_an_hour();
        context.crd_is(CrdState::Current);
        let (started, term) = (Moment::now(), context.term());
        assert_eq!(may_leave(&context, term, started), Ok(()));
        assert_eq!(may_leave(&context, term - 1, started), Err("another replica leads, or may"));
    }
}
