//! Whether the apiserver answers. An outage is one line in the log at its start and one at its end, however much fails meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::runtime::watcher;

use super::Error;
use super::watched_namespaces::Scope;

/// An outage has ended when no request has failed for this long: a starting apiserver answers some requests before others.
const OVER: Duration = Duration::from_secs(10);

/// For this long after the last failure a refusal is not reported: a starting apiserver does not know its roles yet.
const STARTS: Duration = Duration::from_secs(60);

/// State of the apiserver.
#[derive(Debug, Default)]
pub struct Apiserver(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The last failure, also after its outage.
    failed: Option<Instant>,
    outage: Option<Outage>,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    began: Instant,
    failed: Instant,
    /// The last failure, or a later refusal by a starting apiserver.
    troubled: Instant,
}

impl Apiserver {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a failure gets a log line of its own. A failure during an outage does not: the start of the outage is
    /// logged here, once.
    pub(super) fn tells(&self, error: &Error) -> bool {
        let now = Instant::now();
        if is_outage(error) {
            self.failed(&error.to_string(), now);
            return false;
        }
        !(is_forbidden(error) && self.starts(now))
    }

    /// Whether a refusal at this time comes from a starting apiserver. Its outage goes on.
    fn starts(&self, now: Instant) -> bool {
        let mut known = self.known();
        let starts = known.failed.is_some_and(|failed| now.duration_since(failed) < STARTS);
        if let Some(outage) = known.outage.as_mut().filter(|_| starts) {
            outage.troubled = now;
        }
        starts
    }

    /// The log line for a watch that failed, if any. A broken or outdated watch is restarted.
    pub(super) fn tells_of_watch(&self, scope: &Scope, error: watcher::Error) -> Option<String> {
        match error {
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
                let error = Error::of(error);
                let fix = if is_forbidden(&error) { may_not_watch(scope) } else { String::new() };
                self.tells(&error).then(|| format!("{error}{fix}"))
            }
            watcher::Error::WatchFailed(_) => None,
            watcher::Error::WatchError(status) if status.code == 410 => None,
            watcher::Error::WatchError(status) => Some(format!("{} ({})", status.message, status.code)),
            watcher::Error::NoResourceVersion => Some("the answer has no resource version".into()),
        }
    }

    fn failed(&self, error: &str, now: Instant) {
        let mut known = self.known();
        if known.outage.is_none() {
            tracing::warn!(
                "{error}. While the apiserver does not answer, Seatkeeper changes nothing at any vendor. It resumes by itself"
            );
        }
        let began = known.outage.map_or(now, |outage| outage.began);
        *known = Known { failed: Some(now), outage: Some(Outage { began, failed: now, troubled: now }) };
    }

    /// The apiserver has answered.
    pub(super) fn answered(&self) {
        if let Some(lasted) = self.over(Instant::now()) {
            tracing::info!("the apiserver answers again, after {} s", lasted.as_secs());
        }
    }

    /// The duration of an outage that ends now.
    fn over(&self, now: Instant) -> Option<Duration> {
        let over = self.known().outage.take_if(|outage| now.duration_since(outage.troubled) >= OVER)?;
        Some(over.failed.duration_since(over.began))
    }
}

/// The remedy for a forbidden watch. Kubernetes answers the same for a missing namespace, since no Role can be in it.
fn may_not_watch(scope: &Scope) -> String {
    match scope.namespace() {
        Some(namespace) => format!(
            ". Namespace {namespace} does not exist, or the operator's Role is not in it: create the namespace, and install the \
             chart with it in watchNamespaces; or leave it out of --namespace"
        ),
        None => ". The operator's ClusterRole must allow list and watch; with Roles alone, name each namespace by \
                 --namespace"
            .to_owned(),
    }
}

/// Whether the apiserver did not or could not answer.
fn is_outage(error: &Error) -> bool {
    match error {
        Error::Apiserver(error) => is_unanswered(error),
        Error::Slow(_) => true,
        Error::Conflict | Error::NotStored(_) | Error::Foreign | Error::Json(_) => false,
    }
}

fn is_forbidden(error: &Error) -> bool {
    matches!(error, Error::Apiserver(kube::Error::Api(status)) if status.is_forbidden())
}

fn is_unanswered(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code >= 500 || status.code == 429,
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn of(code: u16) -> Error {
        Error::Apiserver(kube::Error::Api(Box::new(Status { code, ..Status::default() })))
    }

    #[test]
    fn failures_of_an_outage_are_no_lines_of_their_own_and_refusals_are() {
        let apiserver = Apiserver::default();
        for outage in [of(503), of(500), of(429), Error::Slow(Duration::from_secs(10))] {
            assert!(!apiserver.tells(&outage), "{outage}");
        }
        for refusal in [of(404), of(422), Error::Foreign, Error::Conflict] {
            assert!(apiserver.tells(&refusal), "{refusal}");
        }
        assert!(Apiserver::default().tells(&forbidden()));
        assert!(!apiserver.tells(&forbidden()), "an apiserver that starts does not know its roles yet");
        *apiserver.known().failed.as_mut().unwrap() -= OVER;
        assert!(!apiserver.tells(&forbidden()), "it may take longer than other requests");
        *apiserver.known().failed.as_mut().unwrap() -= STARTS;
        assert!(apiserver.tells(&forbidden()), "that does not last");
    }

    #[test]
    fn refusals_after_a_start_prolong_the_outage_for_a_while() {
        let (apiserver, start) = (Apiserver::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        apiserver.failed("no connection", at(0));
        assert!(apiserver.starts(at(8)));
        assert_eq!(apiserver.over(at(17)), None);
        assert!(!apiserver.starts(at(60)), "the roles are missing");
        assert_eq!(apiserver.over(at(61)), Some(Duration::ZERO));
        apiserver.failed("no connection", at(100));
        assert_eq!(apiserver.over(at(111)), Some(Duration::ZERO));
        assert!(apiserver.starts(at(115)), "a watch is taken up again later than the Lease");
        assert_eq!(apiserver.over(at(126)), None, "that is no outage of its own");
    }

    fn forbidden() -> Error {
        let status = Status { code: 403, reason: "Forbidden".into(), ..Status::default() };
        Error::Apiserver(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn outage_ends_after_a_while_without_failure() {
        let (apiserver, start) = (Apiserver::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(apiserver.over(at(0)), None, "there was none");
        apiserver.failed("no connection", at(0));
        apiserver.failed("no connection", at(7));
        assert_eq!(apiserver.over(at(16)), None);
        assert_eq!(apiserver.over(at(17)), Some(Duration::from_secs(7)));
        assert_eq!(apiserver.over(at(18)), None, "it is told once");
    }

    #[test]
    fn apiserver_error_is_reported_in_words_alone() {
        let status = Status { code: 403, message: "leases is forbidden".into(), ..Status::default() };
        let error = Error::Apiserver(kube::Error::Api(Box::new(status)));
        assert_eq!(error.to_string(), "apiserver: leases is forbidden (403)");
        let all = Scope::of(&[]);
        let watch = |code, message: &str| {
            let status = Status { code, message: message.into(), ..Status::default() };
            Apiserver::default().tells_of_watch(&all[0], watcher::Error::WatchError(Box::new(status)))
        };
        assert_eq!(watch(410, "too old resource version"), None, "it is taken up again");
        assert_eq!(watch(403, "not allowed"), Some("not allowed (403)".into()));
    }
}
