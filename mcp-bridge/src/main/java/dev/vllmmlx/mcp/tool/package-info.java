/**
 * Tools by the names that models know: which there are, what may run, and what came of it. Knows
 * servers through {@code connection} and nothing of how they are reached.
 */
package dev.vllmmlx.mcp.tool;
