/**
 * Constraints on the text of an answer, kept by masking tokens.
 *
 * <p>The door is {@link dev.vllmmlx.text.grammar.ConstraintCompiler}, one for each model: it turns
 * a {@link dev.vllmmlx.spi.Constraint} into a {@link dev.vllmmlx.text.grammar.ConstraintMatcher},
 * which says after each token what the next one may be. What a constraint cannot be is said by a
 * {@link dev.vllmmlx.text.grammar.ConstraintException}.
 *
 * <p>The grammars themselves are llguidance's, a Rust library, behind the C ABI of {@code
 * src/main/rust}; no other package knows it.
 */
package dev.vllmmlx.text.grammar;
