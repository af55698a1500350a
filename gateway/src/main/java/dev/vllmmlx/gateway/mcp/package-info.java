/**
 * The tools of MCP servers in chats: which ones a request gets, and how servers, tools and calls
 * are shown. Knows the bridge and no HTTP.
 */
package dev.vllmmlx.gateway.mcp;
