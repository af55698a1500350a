/**
 * Connections to MCP servers by the protocol's Java SDK, which no other room knows: child processes
 * and HTTP, what is kept running and what is tried again. {@link
 * dev.vllmmlx.mcp.connection.McpServer} is the way in.
 */
package dev.vllmmlx.mcp.connection;
