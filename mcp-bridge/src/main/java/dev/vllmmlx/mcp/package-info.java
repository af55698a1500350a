/**
 * The way from chat completions to the tools of MCP servers. The rooms below: {@code config} reads
 * the file, {@code connection} speaks MCP, {@code tool} names, checks and runs. Nothing here knows
 * HTTP's or a dialect's shape, nor an engine.
 */
package dev.vllmmlx.mcp;
