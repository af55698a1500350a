/**
 * The configuration file as records, and its reader: {@code mcpServers} as every MCP client writes
 * it. Opens no connection and starts nothing.
 */
package dev.vllmmlx.mcp.config;
