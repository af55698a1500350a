package dev.vllmmlx.mcp.connection;

import java.time.Duration;

/**
 * What a server may use of our time and memory.
 *
 * @param start what it gets to start and list its tools in
 * @param firstRetry the wait before it is tried again; each later one is twice as long
 * @param longestRetry no wait is longer
 * @param check how often one that is quiet is asked whether it is there
 * @param messageBytes a longer message ends the connection
 * @param items so many tools, resources and prompts are listed
 */
public record ConnectionLimits(
    Duration start,
    Duration firstRetry,
    Duration longestRetry,
    Duration check,
    int messageBytes,
    int items) {

  public static ConnectionLimits usual() {
    return new ConnectionLimits(
        // The first run of npx or uvx fetches a package.
        Duration.ofSeconds(60),
        Duration.ofSeconds(1),
        Duration.ofSeconds(60),
        Duration.ofSeconds(30),
        16 << 20,
        1_000);
  }
}
