//! Which bytes a text of an expression can begin with: those and maybe some more. All other derivatives are nothing,
//! which is most of them, and each would take a look at the whole expression.

use crate::ast::{Expr, ExprRef, ExprSet};
use crate::HashMap;

/// A bit for each byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    pub const NONE: ByteSet = ByteSet([0; 4]);
    pub const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    fn of(byte: u8) -> Self {
        let mut set = Self::NONE;
        set.0[byte as usize / 64] = 1 << (byte % 64);
        set
    }

    fn of_words(words: &[u32]) -> Self {
        let mut set = Self::NONE;
        for (at, &word) in words.iter().enumerate() {
            set.0[at / 2] |= (word as u64) << (at % 2 * 32);
        }
        set
    }

    pub fn has(&self, byte: u8) -> bool {
        self.0[byte as usize / 64] >> (byte % 64) & 1 != 0
    }

    pub fn or(self, other: Self) -> Self {
        ByteSet(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    fn and(self, other: Self) -> Self {
        ByteSet(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }
}

/// What was found, by expression.
#[derive(Clone, Default)]
pub struct FirstBytes(HashMap<ExprRef, ByteSet>);

impl FirstBytes {
    /// How deep it looks into an expression; what is below that can begin with anything.
    const DEPTH: usize = 40;

    pub fn of(&mut self, exprs: &ExprSet, expr: ExprRef) -> ByteSet {
        self.look(exprs, expr, Self::DEPTH)
    }

    fn look(&mut self, exprs: &ExprSet, expr: ExprRef, depth: usize) -> ByteSet {
        if depth == 0 {
            return ByteSet::ALL;
        }
        if let Some(&known) = self.0.get(&expr) {
            return known;
        }
        let mut of = |inner| self.look(exprs, inner, depth - 1);
        let found = match exprs.get(expr) {
            Expr::EmptyString | Expr::NoMatch => ByteSet::NONE,
            Expr::Byte(byte) => ByteSet::of(byte),
            Expr::ByteSet(words) => ByteSet::of_words(words),
            Expr::ByteConcat(_, bytes, _) => ByteSet::of(bytes[0]),
            Expr::Repeat(_, inner, _, _) | Expr::Lookahead(_, inner, _) => of(inner),
            Expr::Or(_, inner) => inner.iter().fold(ByteSet::NONE, |set, &each| set.or(of(each))),
            Expr::And(_, inner) => inner.iter().fold(ByteSet::ALL, |set, &each| set.and(of(each))),
            Expr::Concat(_, [head, tail]) if exprs.is_nullable(head) => of(head).or(of(tail)),
            Expr::Concat(_, [head, _]) => of(head),
            Expr::Not(..) | Expr::RemainderIs { .. } => ByteSet::ALL,
        };
        self.0.insert(expr, found);
        found
    }
}
