//! All components: the only place that knows them.

use flow::component::Components;
use std::sync::LazyLock;

/// What a file may name, and how it is made.
pub static COMPONENTS: LazyLock<Components> = LazyLock::new(|| {
    Components::new(
        components::COMPONENTS,
        components::MISSING,
        components::interceptors,
        components::together,
        components::ties,
    )
});
