//! What differs between seats that are a number and seats that license keys bring. All the rest of the model is one for
//! both: the apiserver, the replicas, the faults, the passing of time.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::Property;

use crate::apiserver::Record;
use crate::pass_step;
use crate::replica::Clock;
use crate::variants::Variant;
use crate::world::World;

/// A part of a state.
pub trait Part: Copy + Debug + Eq + Ord + Hash + Send + Sync + 'static {}

impl<T: Copy + Debug + Eq + Ord + Hash + Send + Sync + 'static> Part for T {}

/// One of the two kinds of seats.
pub trait Case: Part + Default {
    /// An intent.
    type Mark: Named;
    /// What the record says besides the plan and the intent.
    type Made: Part + Default;
    /// One reading of the vendor.
    type Seen: Part;
    type Answer: Heard;
    type Wait: Waits;
    type Vendor: Sells<Self>;
    /// What changes around the object.
    type Outside: Part;
    type OutsideAct: Copy + Debug + PartialEq + Hash;
    /// Requests that left for the one decision, and that the vendor did not refuse before any effect.
    type Tries: Part + Default;

    /// Properties whose breach costs money or takes away what is somebody else's.
    const HARM: &[&'static str];

    fn name(variant: &Variant<Self>) -> &'static str;
    fn start() -> (Self::Vendor, Self::Outside);
    fn properties(variant: &Variant<Self>) -> Vec<Property<Variant<Self>>>;

    /// Asks the real `decide`.
    fn judge(
        variant: &Variant<Self>,
        record: Record<Self>,
        clock: Option<Clock<Self>>,
        seen: Self::Seen,
        outside: Self::Outside,
    ) -> Judgment<Self>;

    /// Asks the real code what an answer and the reading after it prove. `before`: the reading and the record from before
    /// the request.
    fn after(
        variant: &Variant<Self>,
        mark: Self::Mark,
        answer: Self::Answer,
        read_back: Option<Self::Seen>,
        before: (Self::Seen, Record<Self>),
    ) -> Record<Self>;

    /// Asks the real code what of a record is written where another writer wrote since it was read. `ours`: the intent that this
    /// pass read or wrote last.
    fn over(stored: Record<Self>, ours: Option<u8>, record: Record<Self>) -> Option<Record<Self>>;

    /// A request of this intent left, or did not count. It counts where the wish is still the one that it was decided for.
    fn count(tries: &mut Self::Tries, outside: &Self::Outside, mark: Self::Mark, by: i8);
    /// A status was written.
    fn recorded(_: &mut Self::Tries, _before: &Record<Self>, _after: &Record<Self>) {}

    fn offers_outside(world: &World<Self>, offers: &mut Vec<Self::OutsideAct>);
    fn step_outside(world: &mut World<Self>, act: Self::OutsideAct);
    /// Nothing stands against a change any more.
    fn unhinder(outside: &mut Self::Outside);

    fn each_made_id(made: &mut Self::Made, visit: &mut impl FnMut(&mut u8));
    /// The intent of the newest change that was made.
    fn newest(made: &Self::Made) -> Option<u8>;
    /// The ids that something around the object names.
    fn each_outside_id(_: &mut Self::Outside, _visit: &mut impl FnMut(&mut u8)) {}
    /// Where the judgment stays what it is: whether a person would accept that end. `None`: it is no end.
    fn is_good_end(world: &World<Self>, verdict: Said<Self>) -> Option<bool>;
    /// The name of an action of the vendor, or of something around the object.
    fn name_of(act: Result<&<Self::Vendor as Sells<Self>>::Act, &Self::OutsideAct>) -> &'static str;
    /// In which order a vendor works that nothing troubles.
    fn calm(act: &<Self::Vendor as Sells<Self>>::Act) -> u8;
}

/// Something with the id of an intent.
pub trait Named: Part {
    fn id(&self) -> u8;
    fn id_mut(&mut self) -> &mut u8;
    /// Which request of its decision it is, where that counts for a wait.
    fn attempt(&self) -> u8 {
        1
    }
}

/// What a replica hears of its request.
pub trait Heard: Part {
    /// There was no answer.
    const NONE: Self;
    /// No byte left.
    const NOT_SENT: Self;

    /// The vendor may have done something.
    fn is_of_something_sent(self) -> bool;
    /// The answer is known to come before any effect, and the same may be sent again.
    fn is_before_effect(self) -> bool;
    /// What kind of an answer it is; `None`: nothing was sent.
    fn kind(self) -> Option<pass_step::Heard>;
    /// Something must be mended or waited for: the pass ends without a decision.
    fn ends_pass(self) -> bool;
}

/// What a clock is for.
pub trait Waits: Part {
    /// The wait for a request of which nothing was heard.
    fn of_request(id: u8, attempt: u8) -> Self;
    /// Whether it is one for a request.
    fn is_of_request(&self) -> bool;
    /// The intent that it is about.
    fn id(&mut self) -> Option<&mut u8>;
    /// When it has elapsed this often, no step waits for it any longer.
    fn last(&self) -> u8;
    /// Whether it waits for something to be over; otherwise it is a pause between two readings.
    fn is_long(&self) -> bool;
    /// The same without the intent's id, so that two can be put in order.
    fn nameless(mut self) -> Self {
        if let Some(id) = self.id() {
            *id = 0;
        }
        self
    }
}

/// The vendor.
pub trait Sells<C: Case>: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    type Act: Copy + Debug + PartialEq + Hash;

    /// Nothing runs and nothing is on its way.
    fn is_quiet(&self) -> bool;
    /// One reading; `None`: it shows nothing that can be.
    fn read(&mut self) -> Option<C::Seen>;
    fn arrive(&mut self, mark: C::Mark, sender: u8, covered: u8);
    /// The answer of this replica's request is not heard by anybody.
    fn hang_up(&mut self, replica: usize);
    /// The replicas change names.
    fn swap_replicas(&mut self);
    /// The clock of a replica starts anew, or stops.
    fn cover(&mut self, replica: usize, covered: bool);
    /// The clock of a replica has elapsed, and not for the last time.
    fn cover_elapsed(&mut self, replica: usize);
    /// The clock of a replica waits for the late effects that run now.
    fn cover_late(&mut self, replica: usize);
    /// What must have ended before a clock may elapse: the promise holds as long as the vendor keeps its settle times.
    fn lets_time_pass(&self, variant: &Variant<C>, replica: usize, clock: Clock<C>) -> bool;
    fn each_id(&mut self, visit: &mut impl FnMut(&mut u8));
    fn offers(world: &World<C>, offers: &mut Vec<Self::Act>);
    fn step(variant: &Variant<C>, world: &mut World<C>, act: Self::Act);
    fn brief(&self) -> String;
}

/// What follows from a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgment<C: Case> {
    pub verdict: Said<C>,
    /// The status as it is to be written, unless a change comes first.
    pub record: Record<C>,
    /// The clock that runs from now on.
    pub doubt: Option<Doubted<C>>,
}

/// What is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubted<C: Case> {
    pub wait: C::Wait,
    /// The reading counts as one after the settle time.
    pub settled: bool,
    /// Nothing is waited for: the clock only goes on.
    pub kept: bool,
}

/// [`seatkeeper::domain::Verdict`], as far as the model needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<C: Case> {
    InSync,
    /// In sync, and it says that another number may be billed.
    MayBill,
    Publish,
    /// The intent, which has no id of its own yet.
    Change(C::Mark),
    Doubt,
    Rejected,
    NeedsReview,
    /// Something stands against the change.
    Held,
    /// Somebody else undoes it again and again.
    Conflict,
    /// Something lacks that no request brings.
    Lacking,
    /// Nothing the model's object can come to.
    Other,
}

/// The id of an intent that the model has not numbered yet.
pub const NEW: u8 = u8::MAX;

/// Intent ids as the code has them.
pub fn id_word(id: u8) -> String {
    format!("i{id}")
}

pub fn id(word: &str) -> u8 {
    word.strip_prefix('i').map_or(NEW, |id| id.parse().expect("an id of the model"))
}

/// The model's hours.
pub const fn hours(elapses: u8) -> std::time::Duration {
    std::time::Duration::from_secs(3600 * elapses as u64)
}
