//! The channels of an agent.

use super::tree::Tree;
use super::{Checker, Listed};
use crate::component::Kind;
use crate::fate::Effect;
use crate::owner::Owner;
use crate::problem::Problem;
use crate::settings::ComponentPlan;

impl Checker<'_> {
    pub(super) fn channels(&mut self, tree: &Tree, names: &[Listed]) -> Vec<ComponentPlan> {
        if (names.is_empty() || tree.is_inferred("channels")) && !self.has_no_list(tree) {
            let what = format!("the agent `{}` has no channels", self.agent);
            let flume = "marks the agent as invalid";
            let at = self.list_at(tree, "channels");
            let fix = self.list_to_paste(tree, &["channels"]);
            let problem = Problem::error("no-channels", &at, what).flume(flume).effect(Effect::Invalid);
            self.report.add(problem.fix(fix));
        }
        names.iter().filter_map(|listed| self.channel(tree, listed)).collect()
    }

    fn channel(&mut self, tree: &Tree, listed: &Listed) -> Option<ComponentPlan> {
        let found = self.keys(tree, "channels", Kind::Channel, listed)?;
        let owner = Owner::new(Kind::Channel, "channels", self.agent, &found.name, found.begins());
        let Some(known) = self.type_of(Kind::Channel, &owner, found.key("type")) else {
            self.glance(&owner, &found.all(), &["type"]);
            return None;
        };
        Some(self.any_component(owner, &found.name, known, &found.all(), &["type"]))
    }

    /// Whether a channel is of use without a source or without a sink, as other processes fill or drain it. It may be of a
    /// type that does not run here.
    pub(super) fn is_shared(&self, tree: &Tree, channel: &str) -> bool {
        let key = tree.component("channels", channel).and_then(|found| found.key("type"));
        let known = key.and_then(|key| self.catalogue().find(Kind::Channel, key.entry.value.trim()));
        known.is_some_and(|known| known.traits.shared)
    }
}
