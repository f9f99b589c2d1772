//! One compiled rule and the machine that runs it, inside limits of time, steps and memory.

use std::{
    num::{NonZeroU32, NonZeroU64},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use regorus::{
    CompiledPolicy, MemoryBudgetConfig, Value,
    languages::rego::compiler::Compiler,
    rvm::{Program as Code, RegoVM, vm::ExecutionMode},
    utils::limits::ExecutionTimerConfig,
};

use super::RuleFault;

/// What one evaluation may use. Beyond it the rule is taken for runaway, and the answer is no.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub time: Duration,
    /// Instructions of the machine; the honest need grows with the number of images.
    pub instructions: usize,
    /// Bytes that the evaluation asks for in all, whether it gives them back or not.
    pub memory: NonZeroU64,
}

impl Default for Limits {
    fn default() -> Self {
        const MEMORY: NonZeroU64 = NonZeroU64::new(64 << 20).unwrap();
        Self { time: Duration::from_secs(1), instructions: 20_000_000, memory: MEMORY }
    }
}

impl Limits {
    /// What may be used where others wait meanwhile: some ten times what the library needs for one
    /// image.
    const BRIEF: Self = {
        const MEMORY: NonZeroU64 = NonZeroU64::new(1 << 20).unwrap();
        Self { time: Duration::from_millis(2), instructions: 10_000, memory: MEMORY }
    };

    /// The tighter of both, each for itself.
    fn least(self, other: Self) -> Self {
        Self {
            time: self.time.min(other.time),
            instructions: self.instructions.min(other.instructions),
            memory: self.memory.min(other.memory),
        }
    }
}

/// Compiled code with the data that it reads. Shared by all evaluations, which share nothing else.
#[derive(Clone, Debug)]
pub(super) struct Program {
    code: Arc<Code>,
    data: Value,
    limits: Limits,
    /// Whether no single step of it can take long.
    brief: bool,
    /// Machines that have run briefly and can do so again: to make one takes as long as to run it.
    /// There are never more than have run at a time, and what one holds on to until it runs again
    /// is of its last, brief run.
    idle: Arc<Mutex<Vec<RegoVM>>>,
}

impl Program {
    /// Steps between two looks at the clock.
    const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::new(256).unwrap();

    /// Compiles `entries`, paths like `data.acme.deny`, and all that they reach.
    ///
    /// # Errors
    /// The compiler's own text, which names the place.
    pub fn compile(policy: &CompiledPolicy, entries: &[&str], data: Value) -> Result<Self, String> {
        let mut code =
            Compiler::compile_from_policy(policy, entries).map_err(|error| error.to_string())?;
        lighten(Arc::make_mut(&mut code));
        let mut functions = code.builtin_info_table.iter().map(|function| function.name.as_str());
        let brief = functions.all(|name| BRIEF_FUNCTIONS.contains(&name));
        Ok(Self { code, data, limits: Limits::default(), brief, idle: Arc::default() })
    }

    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, idle: Arc::default(), ..self }
    }

    /// Runs the entries one after the other on one machine.
    pub fn run(&self, entries: &[&str], input: &Value) -> Result<Vec<Value>, RuleFault> {
        let mut machine = self.machine(self.limits)?;
        run_on(&mut machine, entries, input)
    }

    /// Whether no single step of it can take long.
    pub fn is_brief(&self) -> bool {
        self.brief
    }

    /// The same in no more than a moment, on whatever thread; `None` if that is not enough.
    pub fn run_briefly(
        &self,
        entries: &[&str],
        input: &Value,
    ) -> Option<Result<Vec<Value>, RuleFault>> {
        if !self.brief {
            return None;
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = idle().pop();
        let machine = ready.map_or_else(|| self.machine(self.limits.least(Limits::BRIEF)), Ok);
        let mut machine = match machine {
            Ok(machine) => machine,
            Err(fault) => return Some(Err(fault)),
        };
        let outcome = run_on(&mut machine, entries, input);
        // After a fault nobody has to find out in what state that has left it.
        if outcome.is_ok() {
            idle().push(machine);
        }
        (!outcome.as_ref().is_err_and(RuleFault::is_of_limits)).then_some(outcome)
    }

    fn machine(&self, limits: Limits) -> Result<RegoVM, RuleFault> {
        let mut machine = RegoVM::new();
        machine.load_program(self.code.clone());
        machine.set_strict_builtin_errors(false);
        // In the other mode a condition that fails in a comprehension ends the loop around it.
        machine.set_execution_mode(ExecutionMode::Suspendable);
        machine.set_max_instructions(limits.instructions);
        machine.set_execution_timer_config(Some(ExecutionTimerConfig {
            limit: limits.time,
            check_interval: Self::CHECK_INTERVAL,
        }));
        machine.set_memory_budget_config(Some(MemoryBudgetConfig { limit: limits.memory }));
        machine.set_data(self.data.clone())?;
        Ok(machine)
    }
}

/// Takes out of the records of rules and functions what running them does not need: the machine
/// copies a record at each call, some twenty times for one review.
fn lighten(code: &mut Code) {
    for rule in &mut code.rule_infos {
        rule.name.clear();
        if let Some(function) = &mut rule.function_info {
            function.param_names.clear();
        }
        // These lists are read as if they went on with `None` and `false`.
        if rule.destructuring_blocks.iter().all(Option::is_none) {
            rule.destructuring_blocks.clear();
        }
        if !rule.else_bodies.iter().flatten().any(|is_else| *is_else) {
            rule.else_bodies.clear();
        }
    }
}

/// Each execution starts from a clean slate: the machine forgets the results of the last one, its
/// own included, and limits count anew.
fn run_on(machine: &mut RegoVM, entries: &[&str], input: &Value) -> Result<Vec<Value>, RuleFault> {
    let run = || {
        machine.set_input(input.clone());
        let run = |entry: &&str| Ok(machine.execute_entry_point_by_name(entry)?);
        entries.iter().map(run).collect()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(RuleFault::panicked()))
}

/// Functions whose time goes with the size of what they are given, so that the limits, which are
/// looked at between steps, are enough. Others may do much in one step (`numbers.range`,
/// `graph.reachable`) or compile something first (`regex.match`, `glob.match`).
const BRIEF_FUNCTIONS: &[&str] = &[
    "__builtin_sets.intersection",
    "__builtin_sets.union",
    "array.concat",
    "array.slice",
    "concat",
    "contains",
    "count",
    "endswith",
    "format_int",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "object.get",
    "object.keys",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "substring",
    "sum",
    "time.parse_duration_ns",
    "time.parse_rfc3339_ns",
    "trim",
    "trim_prefix",
    "trim_space",
    "trim_suffix",
    "type_name",
    "upper",
];
