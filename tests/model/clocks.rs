//! The clock of a doubt is a copy in the model, for a state must be small. Here traces of the model are played on the real one:
//! whatever a pass decides, both must wait for the same from then on, for as long, and with the same reading in mind.

use std::time::Duration;

use seatkeeper::domain::{Doubt, DoubtClock, Elapsed, Numbers, WaitFor};
use stateright::Model;

use crate::case::{Doubted, hours};
use crate::operator::{OperatorAct, followed};
use crate::quantity::{self, Quantity};
use crate::replica::{Clock as AnyClock, Step};
use crate::variants::Variant;
use crate::world::{Act, World};

type Clock = AnyClock<Quantity>;

/// What the model's hours count from; no clock of a trace has run for so long.
const NOW: Duration = hours(100);

fn real(clock: Option<Clock>) -> DoubtClock<Duration> {
    let mut real = DoubtClock::default();
    let Some(Clock { key, elapses, settled }) = clock else { return real };
    let wait = quantity::wait(key);
    real.restart(wait.clone(), NOW - hours(elapses));
    let doubt = Doubt { wait, left: hours(1), settled: true };
    if let Some(seats) = settled {
        real.follow(Some(&doubt), Some(quantity::numbers(seats)), NOW);
    }
    real
}

fn known(elapsed: Option<Elapsed>) -> Option<(WaitFor, Duration, Option<Numbers>)> {
    elapsed.map(|Elapsed { wait, since, settled }| (wait, since, settled.map(|(numbers, _)| numbers)))
}

/// Whether both clocks say the same after this decision.
fn agree(before: Option<Clock>, doubt: Option<Doubted<Quantity>>, seen: i8) -> bool {
    let told = doubt.map(|Doubted { wait, settled, kept }| Doubt {
        wait: quantity::wait(wait),
        left: if kept { Duration::ZERO } else { hours(1) },
        settled,
    });
    let mut clock = real(before);
    clock.follow(told.as_ref(), Some(quantity::numbers(seen)), NOW);
    known(clock.elapsed(NOW)) == known(real(followed(before, doubt, Some(seen))).elapsed(NOW))
}

/// One step of a trace, by chance; what was compared on the way.
fn step(variant: &Variant<Quantity>, world: &World<Quantity>, chance: u64) -> Option<(World<Quantity>, Option<bool>)> {
    let mut acts = Vec::new();
    variant.actions(world, &mut acts);
    let many = u64::try_from(acts.len()).ok().filter(|many| *many > 0)?;
    let act = acts[usize::try_from(chance % many).ok()?];
    let compared = match (act, world.replicas[0]) {
        (Act::Operator(0, OperatorAct::Decide), me) => match me.step {
            Step::Seen(seen) => {
                let judged = quantity::judged(variant, me.copy, me.clock_of_reading(), seen, world.outside);
                Some(agree(me.clock, judged.doubt, seen))
            }
            _ => None,
        },
        _ => None,
    };
    Some((variant.next_state(world, act).unwrap_or(*world), compared))
}

#[test]
fn model_clock_waits_for_the_same_as_the_real_one() {
    let variant = quantity::lively();
    // A generator of our own: the same traces each time.
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut compared, mut waited) = (0, 0);
    for _ in 0..3_000 {
        let Some(mut world) = variant.init_states().pop() else { return };
        for _ in 0..60 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let Some((next, agrees)) = step(&variant, &world, chance >> 33) else { break };
            assert_ne!(agrees, Some(false), "{}", world.brief());
            compared += usize::from(agrees.is_some());
            waited += usize::from(agrees.is_some() && next.replicas[0].clock.is_some());
            world = next;
        }
    }
    assert!(compared > 5_000 && waited > 1_000, "only {compared} decisions, {waited} of which wait");
}
