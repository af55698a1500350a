/**
 * How models write calls of functions: a {@link dev.vllmmlx.text.tools.ToolCallFormat} is what the
 * text looks like and how it is read as it comes. A new format is one class here and one line in
 * {@link dev.vllmmlx.text.tools.ToolCallFormats}.
 */
package dev.vllmmlx.text.tools;
