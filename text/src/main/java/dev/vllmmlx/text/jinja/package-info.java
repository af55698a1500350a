/**
 * A Jinja2 engine whose output is Python's, character for character, with the settings that chat
 * templates are written for: {@code trim_blocks}, {@code lstrip_blocks}, no trailing newline, loop
 * controls, {@code generation} blocks, the immutable sandbox and the default {@code Undefined}.
 *
 * <p>A template's text walks {@code Lexer -> Parser -> Statement/Expression -> ScopeAnalyzer},
 * once, to an immutable {@link dev.vllmmlx.text.jinja.Template}; {@code Renderer} walks the tree
 * for each rendering. Values are {@code null}, {@code Boolean}, {@code Long} or {@code BigInteger},
 * {@code Double}, {@code String}, {@code List} and this package's own types; nothing else is ever
 * reachable from a template, and nothing here uses reflection. Semantics of values (truth,
 * equality, order, arithmetic, {@code str} and {@code repr}) are in classes named {@code Py...}; a
 * filter, test or method is one line in the class of its theme.
 *
 * <p>May be touched: add what a newer Jinja2 or Python adds, with a case in the differential tests.
 * Never fix an output by special-casing a template: Python's answer is the specification.
 */
package dev.vllmmlx.text.jinja;
