//! [`Sequence`], writes of one object that follow from a seed.

use std::fmt;

use fastrand::Rng;

use crate::choose::Chooser;
use crate::kind::Kind;
use crate::step::Step;

/// Writes of one object that follow from a seed.
#[derive(Clone)]
pub struct Sequence {
    seed: u64,
    kind: &'static Kind,
    /// True if webhooks are called for its writes.
    pub(crate) is_hooked: bool,
    pub(crate) steps: Vec<Step>,
}

impl Sequence {
    /// So many writes, the same for the same seed.
    pub fn new(seed: u64, steps: usize) -> Self {
        const ODDS: [(&str, u8); 8] = [
            ("Deployment", 18),
            ("Widget", 17),
            ("Meter", 17),
            ("CustomResourceDefinition", 14),
            ("Pod", 11),
            ("Service", 11),
            ("ConfigMap", 6),
            ("Blob", 6),
        ];
        Sequence::choose(seed, steps, &ODDS, false)
    }

    /// So many writes for which webhooks are called, the same for the same seed.
    pub fn with_webhooks(seed: u64, steps: usize) -> Self {
        const ODDS: [(&str, u8); 7] = [
            ("Gauge", 40),
            ("Widget", 16),
            ("Deployment", 12),
            ("Meter", 10),
            ("ConfigMap", 10),
            ("Service", 6),
            ("Pod", 6),
        ];
        Sequence::choose(seed, steps, &ODDS, true)
    }

    fn choose(seed: u64, steps: usize, odds: &[(&str, u8)], is_hooked: bool) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut left = random.u8(..100);
        let (chosen, _) = odds
            .iter()
            .find(|(_, odds)| left.checked_sub(*odds).map(|less| left = less).is_none())
            .expect("the odds add up to a hundred");
        let kind = Kind::all().iter().find(|kind| kind.kind == *chosen).expect("every kind has its odds");
        let mut chooser = Chooser::new(kind, random);
        let steps = (0..steps).map(|at| chooser.step(at == 0)).collect();
        Sequence { seed, kind, is_hooked, steps }
    }

    /// What it was made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The kind of the object.
    pub fn kind(&self) -> &'static str {
        self.kind.kind
    }

    /// How many writes it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has no writes.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Without one of its writes.
    ///
    /// # Panics
    ///
    /// If it has fewer.
    pub fn without(&self, at: usize) -> Sequence {
        let mut steps = self.steps.clone();
        steps.remove(at);
        Sequence { steps, ..self.clone() }
    }

    /// The first of its writes.
    pub fn first(&self, count: usize) -> Sequence {
        let steps = self.steps.iter().take(count).cloned().collect();
        Sequence { steps, ..self.clone() }
    }

    pub(crate) fn of(&self) -> &'static Kind {
        self.kind
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} writes of a {} from seed {}", self.steps.len(), self.kind.kind, self.seed)
    }
}

#[test]
fn a_seed_gives_the_same_writes_again() {
    let shown = |sequence: Sequence| format!("{:?}", sequence.steps);
    for seed in 0..50 {
        assert_eq!(shown(Sequence::new(seed, 10)), shown(Sequence::new(seed, 10)));
        // A shorter one is the beginning of a longer one.
        assert_eq!(shown(Sequence::new(seed, 4)), shown(Sequence::new(seed, 10).first(4)));
    }
}
