//! What people are left with: how to reach everything, and commands worth trying. A test runs each of them as printed.

use std::fmt::{Display, Formatter, Result};
use std::path::Path;

use seatkeeper_support::tool;

use crate::scene::Part;

/// The text, with the addresses of this run.
pub(crate) struct Guide<'a> {
    pub(crate) kubeconfig: &'a Path,
    pub(crate) control_url: &'a str,
    pub(crate) log: &'a Path,
    pub(crate) metrics_url: &'a str,
    pub(crate) parts: &'a [Part],
}

impl Guide<'_> {
    /// What another terminal needs.
    fn exports(&self, f: &mut Formatter<'_>, acme: &Part) -> Result {
        let (url, kubeconfig, kubectl) = (self.control_url, self.kubeconfig.display(), tool("kubectl"));
        let tools = kubectl.parent().unwrap_or(Path::new("/")).display();
        writeln!(f, "\nIn another terminal, with the kubectl that was built for it:\n")?;
        writeln!(f, "    export KUBECONFIG=\"{kubeconfig}\" PATH=\"{tools}:$PATH\"")?;
        writeln!(f, "    export ACME={url}/sim/organizations/{}", acme.id)
    }
}

impl Display for Guide<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let url = self.control_url;
        let key = |secret: &str| self.parts.iter().find(|part| part.secret == secret);
        let (Some(acme), Some(eu), Some(sized)) = (key("bitwarden-org"), key("bitwarden-eu"), key("bitwarden-sized"))
        else {
            return Ok(()); // the scene has all
        };
        self.exports(f, acme)?;
        write!(
            f,
            "
What to try, and to see with kubectl get licenseseats a few seconds later:

1. Members join until seats run short: STATUS says shortage before the last seat is gone. Ten more are turned away at
   the vendor, because the limit is pinned: nothing is bought behind your back.
    curl -s $ACME/join -H 'Content-Type: application/json' -d '{{\"n\":55}}'
    curl -s $ACME/join -H 'Content-Type: application/json' -d '{{\"n\":10}}'

2. Buy ten more; then try to buy far too many: the guard rail refuses that at once.
    kubectl scale licenseseats acme-bitwarden --replicas=160
    kubectl scale licenseseats acme-bitwarden --replicas=5000

3. A person changes seats in the vendor's web vault: it is noticed, told in an event, and corrected.
    curl -s -o /dev/null $ACME/seats -H 'Content-Type: application/json' -d '{{\"seats\":148}}'
    kubectl describe licenseseats acme-bitwarden

4. Mend the refused credential of acme-eu: it is noticed within seconds, and acme-eu gets its 40 seats.
    kubectl patch secret bitwarden-eu -p '{{\"stringData\":{{\"clientSecret\":\"{eu_secret}\"}}}}'

5. Break a Secret that worked, see what is said, and mend it.
    kubectl patch secret bitwarden-org -p '{{\"stringData\":{{\"clientSecret\":\"wrong\"}}}}'
    kubectl wait licenseseats acme-bitwarden --for=condition=CredentialsValid=false
    kubectl get licenseseats acme-bitwarden -o jsonpath='{{.status.conditions[0].message}}{{\"\\n\"}}'
    kubectl patch secret bitwarden-org -p '{{\"stringData\":{{\"clientSecret\":\"{acme_secret}\"}}}}'

6. Immuta, where license keys decide: users join until seats run short; ask for more seats than the key has; add another
   key.
    curl -s {url}/sim/immuta/users/join -H 'Content-Type: application/json' -d '{{\"n\":4}}'
    kubectl scale licenseseats acme-immuta --replicas=30
    kubectl patch licenseseats acme-immuta --type=json -p '[{{\"op\":\"add\",\"path\":\"/spec/vendor/immuta/licenseKeys/-\",\"value\":{{\"secretKeyRef\":{{\"name\":\"immuta-2027\",\"key\":\"second\"}}}}}}]'

7. One change a month: acme-monthly wants 105 seats and waits for its window, with its limit pinned to the 100 that it has. Here
   the window opens within a minute of the first table.
    kubectl wait licenseseats acme-monthly --for=jsonpath='{{.status.seats}}'=105 --timeout=90s

8. Seats that follow the people: twelve more members, and acme-sized buys ten seats more.
    curl -s {url}/sim/organizations/{sized}/join -H 'Content-Type: application/json' -d '{{\"n\":12}}'

9. A person's yes: acme-approval wants 130 seats, and more than 10 at once need one. This approves the plan that is shown.
    kubectl get licenseseats acme-approval -o go-template='{{\"apiVersion\":\"seatkeeper.dev/v1alpha1\",\"kind\":\"SeatApproval\",\"metadata\":{{\"name\":\"yes\"}},\"spec\":{{\"licenseSeatsRef\":{{\"name\":\"acme-approval\"}},\"decision\":\"Approved\",\"planId\":\"{{{{.status.plan.id}}}}\"}}}}' | kubectl create -f -

10. What the vendor has billed, and who made it: a purchase is one step `billed`, and `row` is Bitwarden writing what it shows; what else the simulator can do; what can be declared.
    curl -s $ACME/ledger | grep -oE '\"billedAfter\":.\"seats\":[0-9]+|\"step\":\"[a-z]+\",\"who\":\"[a-zA-Z]+\"' | paste - -
    curl -s {url}/sim
    kubectl explain licenseseats.spec

",
            sized = sized.id,
            eu_secret = eu.client_secret,
            acme_secret = acme.client_secret,
        )?;
        writeln!(f, "The operator's log is {}, its metrics are at {}", self.log.display(), self.metrics_url)
    }
}
