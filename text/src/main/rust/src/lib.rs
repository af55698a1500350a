//! The C ABI that `dev.vllmmlx.text.grammar.Native` binds.
//!
//! llguidance has a C ABI of its own (`llguidance::ffi`). This one is smaller and differs where that one falls short:
//! forced text comes as bytes, for any tokenizer, and not as tokens of a canonical one, whose masks would refuse every
//! other tokenization; a token that does not fit leaves the matcher as it was; warnings need no second compilation.
//!
//! Strings are UTF-8 with a length. Functions that can fail return a null pointer or a negative number and tell why
//! through `grammar_error` or the buffer they are given. Nothing unwinds into the caller.

use std::panic::AssertUnwindSafe;
use std::slice;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{ensure, Result};
use llguidance::api::{GrammarInit, ParserLimits, TopLevelGrammar};
use llguidance::toktrie::{
    parse_numeric_token, ApproximateTokEnv, InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo,
    TokTrie, TokenId,
};
use llguidance::{panic_utils, Budget, Logger, Matcher, ParserFactory};

/// A vocabulary: the trie of its tokens' bytes and what masks are made from. Shared by threads.
pub struct Vocabulary {
    factory: ParserFactory,
    ends: Vec<TokenId>,
    words: usize,
}

/// A grammar and how far a text has come in it. One thread at a time.
pub struct Constraint {
    matcher: Matcher,
    vocabulary: Arc<Vocabulary>,
    /// What a step of a copy may take: one beyond it is the last. The compiled one's are its compiler's to wait for.
    step_limit: Duration,
    is_copy: bool,
    step: Budget,
    /// Whether an end token was accepted behind a text that nothing could follow: llguidance does not count that one.
    ended: bool,
    /// Whether forced bytes were ever asked for, and so may lie ready in the matcher.
    forcing: bool,
}

impl Constraint {
    fn new(matcher: Matcher, vocabulary: Arc<Vocabulary>, step_limit: Duration) -> Self {
        let matcher = matcher.into_cancellable();
        let step = matcher.cancellation_handle().map(|handle| handle.1).unwrap_or_default();
        Constraint { matcher, vocabulary, step_limit, is_copy: false, step, ended: false, forcing: false }
    }

    fn step<R>(&mut self, body: impl FnOnce(&mut Self) -> R) -> R {
        if self.is_copy {
            self.step.begin(self.step_limit);
        }
        let result = body(self);
        self.step.end();
        result
    }
}

/// Vocabularies and constraints that were handed out and are not freed.
static LIVE: AtomicI64 = AtomicI64::new(0);

fn hand_out<T>(value: T) -> *mut T {
    LIVE.fetch_add(1, Ordering::Relaxed);
    Box::into_raw(Box::new(value))
}

unsafe fn take_back<T>(handle: *mut T) {
    drop(Box::from_raw(handle));
    LIVE.fetch_sub(1, Ordering::Relaxed);
}

#[no_mangle]
pub extern "C" fn grammar_live_handles() -> i64 {
    LIVE.load(Ordering::Relaxed)
}

/// Writes as much of `text` as fits; returns its whole length in bytes.
unsafe fn write(text: &str, out: *mut u8, capacity: usize) -> usize {
    if !out.is_null() {
        std::ptr::copy_nonoverlapping(text.as_ptr(), out, text.len().min(capacity));
    }
    text.len()
}

unsafe fn array<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        &[]
    } else {
        slice::from_raw_parts(data, len)
    }
}

/// Runs `body`; an error or a panic goes to `error`, prefixed by its length in four bytes, and gives `failed`.
unsafe fn guarded<R>(error: *mut u8, capacity: usize, failed: R, body: impl FnOnce() -> Result<R>) -> R {
    match panic_utils::catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(cause) => {
            let text = format!("{cause:#}");
            let room = capacity.saturating_sub(4);
            let written = text.len().min(room) as u32;
            if capacity >= 4 {
                std::ptr::copy_nonoverlapping(written.to_ne_bytes().as_ptr(), error, 4);
                write(&text, error.add(4), room);
            }
            failed
        }
    }
}

/// Sets of tokens that need no look at each token where all of a set may follow: white space, and what may stand in a
/// string of JSON, by length, since a schema may bound it. llguidance's own have 10 and 30 characters, which leaves it
/// more tokens to look at in the last characters of a bounded string.
fn slices() -> Vec<String> {
    const CHARACTER: &str = r#"[^"\\\x00-\x1F\x7F]"#;
    let mut slices = vec![r"[\x20\x0A\x0D\x09]+".to_string()];
    slices.extend([8, 16, 32].map(|most| format!("{CHARACTER}{{1,{most}}}")));
    slices.push(format!("{CHARACTER}+"));
    slices
}

/// `lens` and `bytes` are the tokens' bytes in a row, `ends` the ids that end a text (at least one).
#[no_mangle]
pub unsafe extern "C" fn grammar_vocabulary(
    lens: *const u32,
    count: usize,
    bytes: *const u8,
    ends: *const u32,
    ends_count: usize,
    error: *mut u8,
    capacity: usize,
) -> *mut Arc<Vocabulary> {
    guarded(error, capacity, std::ptr::null_mut(), || {
        let lens = array(lens, count);
        let bytes = array(bytes, lens.iter().map(|&len| len as usize).sum());
        let ends = array(ends, ends_count).to_vec();
        ensure!(!ends.is_empty(), "no token ends a text");
        ensure!(ends.iter().all(|&id| (id as usize) < count), "an end is no token");
        let mut at = 0;
        let mut tokens = Vec::with_capacity(count);
        for &len in lens {
            tokens.push(bytes[at..at + len as usize].to_vec());
            at += len as usize;
        }
        let trie = TokTrie::from(&TokRxInfo::new(count as u32, ends[0]), &tokens).with_eos_tokens(&ends);
        // Not canonical: masks admit every tokenization of a text.
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices())?;
        factory.quiet();
        let vocabulary = Vocabulary { factory, ends, words: count.div_ceil(32) };
        Ok(hand_out(Arc::new(vocabulary)))
    })
}

#[no_mangle]
pub unsafe extern "C" fn grammar_free_vocabulary(vocabulary: *mut Arc<Vocabulary>) {
    take_back(vocabulary);
}

/// Compiles `data` of the kind that `tag` names (`json_schema`, `regex`, `lark`, `llguidance`).
///
/// `limits`: items in a row, initial lexer fuel, lexer fuel of a mask, items of a mask, lexer states, grammar size, and what
/// a step may take, in microseconds.
#[no_mangle]
pub unsafe extern "C" fn grammar_compile(
    vocabulary: *const Arc<Vocabulary>,
    tag: *const u8,
    tag_len: usize,
    data: *const u8,
    data_len: usize,
    limits: *const u64,
    error: *mut u8,
    capacity: usize,
) -> *mut Constraint {
    guarded(error, capacity, std::ptr::null_mut(), || {
        let vocabulary = (*vocabulary).clone();
        let tag = std::str::from_utf8(array(tag, tag_len))?;
        let data = std::str::from_utf8(array(data, data_len))?;
        let limits = array(limits, 7);
        let step_limit = Duration::from_micros(limits[6]);
        let limits = ParserLimits {
            max_items_in_row: limits[0] as usize,
            initial_lexer_fuel: limits[1],
            step_lexer_fuel: limits[2],
            step_max_items: limits[3] as usize,
            max_lexer_states: limits[4] as usize,
            max_grammar_size: limits[5] as usize,
            precompute_large_lexemes: true,
            verbose_errors: false,
        };
        let parser = vocabulary.factory.create_parser_from_init_ext(
            GrammarInit::Serialized(TopLevelGrammar::from_tagged_str(tag, data)?),
            Logger::new(0, 0),
            InferenceCapabilities::default(),
            limits,
        )?;
        let matcher = Matcher::new(Ok(parser));
        Ok(hand_out(Constraint::new(matcher, vocabulary, step_limit)))
    })
}

/// What the compiler did not take literally, a line each; returns the length in bytes.
#[no_mangle]
pub unsafe extern "C" fn grammar_warnings(constraint: *mut Constraint, out: *mut u8, capacity: usize) -> usize {
    let matcher = AssertUnwindSafe(&mut (*constraint).matcher);
    let warnings = panic_utils::catch_unwind(move || Ok({ matcher }.grammar_warnings().join("\n")));
    write(&warnings.unwrap_or_default(), out, capacity)
}

/// A copy that is independent of its original, caches included.
#[no_mangle]
pub unsafe extern "C" fn grammar_copy(constraint: *const Constraint) -> *mut Constraint {
    let constraint = &*constraint;
    guarded(std::ptr::null_mut(), 0, std::ptr::null_mut(), || {
        let vocabulary = constraint.vocabulary.clone();
        let mut copy = Constraint::new(constraint.matcher.clone(), vocabulary, constraint.step_limit);
        copy.is_copy = true;
        copy.ended = constraint.ended;
        copy.forcing = constraint.forcing;
        Ok(hand_out(copy))
    })
}

#[no_mangle]
pub unsafe extern "C" fn grammar_free(constraint: *mut Constraint) {
    take_back(constraint);
}

/// Why the constraint can go no further; returns the length in bytes, 0 where it can.
#[no_mangle]
pub unsafe extern "C" fn grammar_error(constraint: *const Constraint, out: *mut u8, capacity: usize) -> usize {
    let constraint = &*constraint;
    let error = if constraint.matcher.is_cancelled() {
        format!("a step takes more than {} ms", constraint.step_limit.as_millis())
    } else {
        constraint.matcher.get_error().unwrap_or_default()
    };
    write(&error, out, capacity)
}

/// The mask where forced bytes with a special token lie ready: with these in its way llguidance finds no token at all
/// unless the tokenizer is canonical. None where there is no such thing.
fn forced_mask(constraint: &mut Constraint) -> Option<SimpleVob> {
    if constraint.matcher.is_stopped() {
        return None;
    }
    let bytes = constraint.matcher.compute_ff_bytes();
    let mark = bytes.iter().position(|&byte| byte == TokTrie::SPECIAL_TOKEN_MARKER)?;
    let trie = constraint.vocabulary.factory.tok_env().tok_trie();
    let mut mask = trie.alloc_token_set();
    if mark == 0 {
        let (_, token) = parse_numeric_token(&bytes[1..])?;
        mask.allow_token(token);
    } else {
        for len in 1..=mark {
            if let Some(token) = trie.token_id_at_bytes(&bytes[..len]) {
                mask.allow_token(token);
            }
        }
    }
    Some(mask)
}

fn mask(constraint: &mut Constraint) -> Result<SimpleVob> {
    let forced_mask = if constraint.forcing { forced_mask(constraint) } else { None };
    forced_mask.map_or_else(|| constraint.matcher.compute_mask_or_eos(), Ok)
}

/// Writes the tokens that may follow, a bit each, lowest first. 0, or -1 for an error.
#[no_mangle]
pub unsafe extern "C" fn grammar_mask(constraint: *mut Constraint, out: *mut u32, words: usize) -> i32 {
    let constraint = &mut *constraint;
    if words < constraint.vocabulary.words {
        return -1;
    }
    match constraint.step(mask) {
        Ok(mask) => {
            let count = constraint.vocabulary.words;
            std::ptr::copy_nonoverlapping(mask.as_slice().as_ptr(), out, count);
            std::ptr::write_bytes(out.add(count), 0, words - count);
            0
        }
        Err(_) => -1,
    }
}

/// Takes tokens in order until one does not fit; returns how many fitted, or -1 for an error.
#[no_mangle]
pub unsafe extern "C" fn grammar_accept(constraint: *mut Constraint, tokens: *const u32, count: usize) -> i32 {
    let constraint = &mut *constraint;
    let tokens = array(tokens, count);
    let Ok(mut taken) = constraint.step(|it| it.matcher.try_consume_tokens(tokens)) else {
        return -1;
    };
    if taken < count
        && constraint.matcher.stop_reason() == llguidance::api::StopReason::NoExtension
        && !constraint.ended
        && constraint.vocabulary.ends.contains(&tokens[taken])
    {
        constraint.ended = true;
        taken += 1;
    }
    taken as i32
}

/// How many of `tokens` would fit, of those up to an end; the constraint stays where it is. -1 for an error.
#[no_mangle]
pub unsafe extern "C" fn grammar_try(constraint: *mut Constraint, tokens: *const u32, count: usize) -> i32 {
    let constraint = &mut *constraint;
    match constraint.step(|it| it.matcher.validate_tokens(array(tokens, count))) {
        Ok(fitting) => fitting as i32,
        Err(_) => -1,
    }
}

/// Takes back the last `count` tokens. 0, or -1 for an error.
#[no_mangle]
pub unsafe extern "C" fn grammar_rollback(constraint: *mut Constraint, mut count: usize) -> i32 {
    let constraint = &mut *constraint;
    if count > 0 && constraint.ended {
        constraint.ended = false;
        count -= 1;
    }
    match constraint.matcher.rollback(count) {
        Ok(()) => 0,
        Err(_) => -1,
    }
}

/// 2: nothing but an end may follow, 1: an end may follow, 0: more must follow, -1: an error.
#[no_mangle]
pub unsafe extern "C" fn grammar_state(constraint: *mut Constraint) -> i32 {
    let matcher = &mut (*constraint).matcher;
    if matcher.is_error() {
        -1
    } else if matcher.is_stopped() {
        2
    } else {
        match matcher.is_accepting() {
            Ok(accepting) => accepting as i32,
            Err(_) => -1,
        }
    }
}

/// Writes the bytes that must follow, as far as they fit (a special token is 0xFF and its id in brackets: `[7]`); returns how many there are, or -1 for an error.
#[no_mangle]
pub unsafe extern "C" fn grammar_forced(constraint: *mut Constraint, out: *mut u8, capacity: usize) -> isize {
    let constraint = &mut *constraint;
    constraint.forcing = true;
    if constraint.matcher.is_stopped() {
        return if constraint.matcher.is_error() { -1 } else { 0 };
    }
    let bytes = constraint.step(|it| it.matcher.compute_ff_bytes());
    if constraint.matcher.is_error() {
        return -1;
    }
    std::ptr::copy_nonoverlapping(bytes.as_ptr(), out, bytes.len().min(capacity));
    bytes.len() as isize
}
