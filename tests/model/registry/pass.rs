//! A pass over one object, restated from `gather`, `reconcile` and `act` step by step.
//!
//! What `domain` decides is checked by the other model: here an object wants a change or does not, and an open change is
//! judged when it has been known for the settle time.

use super::asked::{Answer, Blocked, Made, RowSet, SETTLE, Word};
use super::events::Event;

use super::fault_switches::FaultSwitch;
use super::properties::age;
use super::variants::Variant;
use super::world::{Change, Object, POOLS, Request, Slot, Uid, World, tenant};

/// One object's pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pass {
    pub step: Step,
    pub uid: Uid,
    /// The term in which it began.
    pub term: u8,
    /// What it read.
    pub account: u8,
    pub intent: Option<Change>,
    wants: bool,
    /// Its record names the account.
    pub recorded: bool,
    /// The rows that are known of the account: on record, and then as they were read.
    pub listed: Option<RowSet>,
    /// The vendor has shown them.
    pub read: bool,
    /// The change of another object of the account was answered since.
    pub old: bool,
    pub made: Made,
    /// Somebody wrote the object since.
    pub stale: bool,
    /// The send deadline has passed.
    pub late: bool,
    /// The change that it makes, or whose end it records.
    pub change: Change,
}

/// Where a pass is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Step {
    #[default]
    Idle,
    /// The object and its Secret were read.
    Read,
    /// The registry knows what was read, and the vendor is read.
    Noted,
    /// The registry knows what the vendor showed.
    Confirmed,
    /// A change has the right to be made; its intent is to be stored.
    Reserved,
    /// The intent is stored.
    Armed,
    /// The last questions were answered: the bytes leave.
    Cleared,
    /// The request has left.
    Waiting,
    /// The status is to say that the change is over.
    Recording,
}

impl Default for Change {
    fn default() -> Self {
        Self { id: u8::MAX, account: 0 }
    }
}

impl Pass {
    /// The object was read.
    pub fn of(object: &Object, term: u8) -> Self {
        let Object { uid, account, intent, wants, recorded, rows, made } = *object;
        let listed = tenant(account).and(Some(rows).filter(|rows| recorded && *rows != 0));
        Self { step: Step::Read, uid, term, account, intent, wants, recorded, listed, made, ..Self::default() }
    }
}

impl World {
    /// Whether the request of this change runs at the vendor.
    pub fn runs(&self, change: Change) -> bool {
        self.requests.iter().any(|request| request.change == change && !request.late)
    }

    /// Lets a pass go on.
    pub fn pass(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        loop {
            let event = self.pass_step(variant, replica, slot);
            if !matches!(self.replicas[replica].passes[slot].step, Step::Read | Step::Noted | Step::Confirmed) {
                return event;
            }
            variant.taken.note(event);
        }
    }

    /// The next step of a pass.
    pub fn pass_step(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        match self.replicas[replica].passes[slot].step {
            Step::Idle => self.read(variant, replica, slot),
            Step::Read => self.note(variant, replica, slot),
            Step::Noted => self.look(variant, replica, slot),
            Step::Confirmed => self.decide(variant, replica, slot),
            Step::Reserved => self.store_intent(variant, replica, slot),
            Step::Armed => self.ask(variant, replica, slot),
            Step::Cleared => self.send(variant, replica, slot),
            Step::Waiting => {
                self.replicas[replica].passes[slot].wants = false;
                self.heard(variant, replica, slot);
                Event::Heard
            }
            Step::Recording => self.record(variant, replica, slot),
        }
    }

    fn read(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let me = &mut self.replicas[replica];
        let Some(known) = me.known[slot] else { return Event::ReadNothing };
        if let Some(object) = self.objects[slot].filter(|object| object.uid == known) {
            me.passes[slot] = Pass::of(&object, me.term);
            return Event::ReadObject;
        }
        me.forget(variant, slot, self.now);
        me.registry.tell(Word::Gone(known));
        Event::ReadNothing
    }

    /// Tells the registry; on goes who owns the pool and has something to do.
    fn note(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let lists = self.lists(self.replicas[replica].passes[slot].account);
        let (me, now) = (&mut self.replicas[replica], self.now);
        let pass = me.passes[slot];
        if variant.fault_switch != Some(FaultSwitch::RecordUntold) {
            me.made(variant, slot, pass.made, now);
        }
        let owner = me.note(variant, &pass, pass.recorded, now);
        let reads = owner.is_none() && !variant.refuses(pass.uid);
        if !reads || variant.fault_switch == Some(FaultSwitch::NobodyWaits) {
            me.registry.tell(Word::Answered(slot));
        }
        if pass.term == me.term {
            me.unread &= !(1 << pass.uid);
        }
        let known = me.doubts[slot].filter(|(id, _)| pass.intent.is_some_and(|intent| intent.id == *id));
        me.doubts[slot] = known.or(pass.intent.map(|intent| (intent.id, 0)));
        let settled = me.doubts[slot].is_none_or(|(_, hours)| hours >= SETTLE);
        let wants = pass.wants && self.left.changes > 0;
        // The vendor answers at once, and what it said may be heard later.
        me.passes[slot].listed = lists;
        if reads && settled && (pass.intent.is_some() || wants) {
            me.passes[slot].step = Step::Noted;
        } else {
            if reads {
                self.confirm(variant, replica, slot);
            }
            self.end(variant, replica, slot);
        }
        match (owner, pass.intent) {
            (Some(_), _) => Event::NotedBehindOwner,
            (_, Some(_)) => Event::NotedWithOpenChange,
            _ if variant.unplaced(pass.uid) && !pass.recorded => Event::NotedWithoutAccount,
            _ => Event::NotedAsOwner,
        }
    }

    /// The vendor is read; on goes who still owns the pool.
    fn look(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        if self.confirm(variant, replica, slot).is_some() {
            self.end(variant, replica, slot);
            return Event::ReadBehindOwner;
        }
        self.replicas[replica].passes[slot].step = Step::Confirmed;
        Event::ReadAsOwner
    }

    /// `reconcile::pass`, from its first decision to the right to make a change.
    fn decide(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let (me, now) = (&mut self.replicas[replica], self.now);
        let pass = me.passes[slot];
        let change = Change { id: 8 * pass.uid + self.decided[slot], account: pass.account };
        let mut blocked = Event::ClosedAfterSettling;
        if pass.wants && self.left.changes > 0 {
            match me.registry.tell(Word::Reserve { slot, change, term: pass.term, now }) {
                Answer::Blocked(Blocked::Scan) => blocked = Event::BlockedByScan,
                Answer::Blocked(Blocked::Owner) => blocked = Event::BlockedByOwner,
                Answer::Blocked(Blocked::OpenChange) => blocked = Event::BlockedByOpenChange,
                Answer::Blocked(Blocked::LostChange) => blocked = Event::BlockedByLostChange,
                Answer::Blocked(Blocked::Rows) => blocked = Event::BlockedByRows,
                Answer::Blocked(Blocked::LateEffects) => blocked = self.blocked_by_late_effects(),
                _ => return self.reserved(variant, replica, slot, change),
            }
        }
        let me = &mut self.replicas[replica];
        me.registry.tell(Word::SetOpen { slot, open: None, now });
        match pass.intent {
            Some(change) => {
                let Pass { uid, wants, made, .. } = pass;
                me.passes[slot] = Pass { step: Step::Recording, uid, wants, change, made, ..Pass::default() };
            }
            None => self.end(variant, replica, slot),
        }
        blocked
    }

    /// The vendor has accepted the key and shown the account, which is noted and recorded.
    fn confirm(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Option<Slot> {
        let (me, now) = (&mut self.replicas[replica], self.now);
        let pass = me.passes[slot];
        if variant.fault_switch == Some(FaultSwitch::NotConfirmed) {
            me.registry.tell(Word::Answered(slot));
            return None;
        }
        let owner =
            me.note(variant, &Pass { read: variant.fault_switch != Some(FaultSwitch::OldList), ..pass }, true, now);
        me.shown[slot] = pass.listed.unwrap_or_default();
        let read =
            self.objects[slot].as_mut().filter(|object| (object.uid, object.account) == (pass.uid, pass.account));
        if let Some(object) = read {
            (object.recorded, object.rows) = (true, pass.listed.unwrap_or_default());
        }
        owner
    }

    fn blocked_by_late_effects(&self) -> Event {
        let theirs = self.requests.iter().find(|request| request.late);
        let gone = theirs.is_some_and(|theirs| self.object(theirs.slot, theirs.uid).is_none());
        if gone { Event::BlockedByLateEffectsOfAnObjectThatIsGone } else { Event::BlockedByLateEffects }
    }

    /// An older object of the same pool is asked at this moment whether it has it.
    fn overtakes(&self, replica: usize, slot: Slot) -> bool {
        let me = &self.replicas[replica];
        let pass = me.passes[slot];
        me.passes.iter().enumerate().any(|(other, asked)| {
            let of_one = POOLS[other] == POOLS[slot] && tenant(pass.account).is_none();
            let rival = other != slot && of_one && age(asked.uid) < age(pass.uid);
            let there = self.object(other, asked.uid).is_some_and(|object| object.account == asked.account);
            rival && there && asked.step == Step::Noted && asked.account == pass.account && asked.term == pass.term
        })
    }

    /// Another object's address was seen to list a row that this one's lists too.
    fn shares(&self, replica: usize, slot: Slot) -> bool {
        let shown = self.replicas[replica].shown;
        let there = |other: &Slot| self.objects[*other].is_some() && *other != slot;
        (0..shown.len()).filter(there).any(|other| shown[other] & shown[slot] != 0)
    }

    /// A change got the right to be made.
    fn reserved(&mut self, variant: &Variant, replica: usize, slot: Slot, change: Change) -> Event {
        self.overtaken |= self.overtakes(replica, slot);
        self.shared |= !variant.copied && self.shares(replica, slot);
        // Of an object that is gone, no intent is stored.
        let pass = self.replicas[replica].passes[slot];
        self.old |= pass.old && self.object(slot, pass.uid).is_some();
        let (me, now) = (&mut self.replicas[replica], self.now);
        let pass = me.passes[slot];
        if variant.fault_switch == Some(FaultSwitch::NoLock) {
            me.registry.tell(Word::SetOpen { slot, open: None, now });
        }
        let kept = Pass { account: 0, intent: None, recorded: false, listed: None, old: false, ..pass };
        me.passes[slot] = Pass { step: Step::Reserved, change, ..kept };
        me.doubts[slot] = Some((change.id, 0));
        self.early |= pass.term == me.term && me.unread != 0;
        (self.decided[slot], self.left.changes) = (self.decided[slot] + 1, self.left.changes - 1);
        if pass.intent.is_some() { Event::ReservedAfterSettling } else { Event::Reserved }
    }

    fn store_intent(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let pass = self.replicas[replica].passes[slot];
        if self.object(slot, pass.uid).is_none() || pass.stale {
            self.replicas[replica].registry.tell(Word::SetOpen { slot, open: None, now: self.now });
            self.end(variant, replica, slot);
            return Event::IntentRefused;
        }
        self.write(slot, Some(pass.change), true);
        self.replicas[replica].passes[slot] = Pass { step: Step::Armed, stale: false, ..pass };
        Event::IntentStored
    }

    /// The last questions before the bytes leave (`act::act`).
    fn ask(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let me = &mut self.replicas[replica];
        let pass = me.passes[slot];
        let leads = self.leader == Some(replica)
            && (me.term == pass.term || variant.fault_switch == Some(FaultSwitch::AnyTerm));
        let leads = leads || variant.fault_switch == Some(FaultSwitch::NoLease);
        if !leads || (pass.late && variant.fault_switch != Some(FaultSwitch::NoDeadline)) {
            self.over(replica, slot);
            return Event::HeldBack;
        }
        me.passes[slot].step = Step::Cleared;
        Event::Cleared
    }

    fn send(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let pass = self.replicas[replica].passes[slot];
        if pass.late && variant.fault_switch != Some(FaultSwitch::NoDeadline) {
            self.over(replica, slot);
            return Event::HeldBack;
        }
        let Pass { change, uid, term, .. } = pass;
        self.requests.push(Request { change, slot, uid, term, aged: false, late: false });
        self.requests.sort_unstable();
        self.replicas[replica].passes[slot] = Pass { step: Step::Waiting, term: 0, late: false, ..pass };
        if self.leader == Some(replica) { Event::Left } else { Event::LeftWhileAnotherLeads }
    }

    /// The answer came, and the vendor is read back: the change is made.
    fn heard(&mut self, variant: &Variant, replica: usize, slot: Slot) {
        let change = self.replicas[replica].passes[slot].change;
        let lists = self.lists(change.account);
        let (me, now) = (&mut self.replicas[replica], self.now);
        me.shows(variant, slot, lists);
        for pass in me.passes.iter_mut().filter(|pass| pass.step == Step::Noted && lists.is_some()) {
            pass.old |= pass.account == change.account;
        }
        let made = if variant.late { [Some(change), me.passes[slot].made[0]] } else { [None; 2] };
        if variant.fault_switch != Some(FaultSwitch::MadeUntold) {
            me.made(variant, slot, made, now);
        }
        self.over(replica, slot);
        self.replicas[replica].passes[slot].made = made;
    }

    /// The change is known to be over, made or not; the record is to say so.
    fn over(&mut self, replica: usize, slot: Slot) {
        let (me, now) = (&mut self.replicas[replica], self.now);
        me.registry.tell(Word::RequestEnded { slot, now });
        me.registry.tell(Word::SetOpen { slot, open: None, now });
        let Pass { uid, wants, change, made, .. } = me.passes[slot];
        me.passes[slot] = Pass { step: Step::Recording, uid, wants, change, made, ..Pass::default() };
    }

    /// The answer is not waited for any longer.
    pub fn give_up(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let (me, now) = (&mut self.replicas[replica], self.now);
        let change = me.passes[slot].change;
        me.registry.tell(Word::RequestEnded { slot, now });
        me.registry.tell(Word::SetOpen { slot, open: Some(change), now });
        me.doubts[slot] = Some((change.id, 0));
        self.end(variant, replica, slot);
        Event::GivenUp
    }

    /// Over somebody else's write only what is known of the own change is written.
    fn record(&mut self, variant: &Variant, replica: usize, slot: Slot) -> Event {
        let pass = self.replicas[replica].passes[slot];
        let ours = self.object(slot, pass.uid).filter(|object| object.intent == Some(pass.change)).copied();
        if let Some(object) = ours {
            self.write(slot, None, object.wants && pass.wants);
            if let Some(object) = &mut self.objects[slot] {
                object.made = pass.made;
            }
        }
        self.replicas[replica].doubts[slot] = None;
        self.end(variant, replica, slot);
        if ours.is_some() { Event::Recorded } else { Event::NotRecorded }
    }

    fn end(&mut self, variant: &Variant, replica: usize, slot: Slot) {
        let me = &mut self.replicas[replica];
        me.passes[slot] = Pass::default();
        if me.known[slot].is_none() {
            // Deleted during the pass.
            me.forget(variant, slot, self.now);
        }
    }
}
