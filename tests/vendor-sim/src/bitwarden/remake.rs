//! A whole state at once: what colleagues, a provider or vendor staff make of an organization, also while a request is under
//! way.

use super::{
    Bitwarden,
    ledger::{Actor, Step},
    member::MemberStatus,
    organization::Organization,
    state::Org,
};

impl Bitwarden {
    /// Makes the organization what is described. Its id, its keys and the people with keys stay, and so does the way of its
    /// bills unless one is described. No rule applies.
    pub fn remake(&self, id: &str, described: Organization) {
        let path = described.billing_path;
        self.on(id, |o| {
            let new = Org::new(o.id, 0, described);
            o.commit(self.now(), Actor::Vendor, Step::Both, None, |o| {
                (o.row, o.stripe) = (new.row, new.stripe);
            });
            o.path = path.unwrap_or(o.path);
            (o.terms, o.license, o.provider) = (new.terms, new.license, new.provider);
            (o.sponsored, o.machine_accounts, o.storage_used) = (new.sponsored, new.machine_accounts, new.storage_used);
            o.members_json = None;
            o.members.truncate(new.members.len());
            while o.members.len() < new.members.len() {
                o.add_member(MemberStatus::Confirmed);
            }
            for (member, new) in o.members.iter_mut().zip(&new.members) {
                (member.status, member.sm) = (new.status, new.sm);
            }
        });
    }
}
