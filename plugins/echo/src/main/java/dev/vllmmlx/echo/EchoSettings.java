package dev.vllmmlx.echo;

/**
 * How an echo engine behaves.
 *
 * @param model the id it is served under
 * @param tokensPerSecond of each answer; 0 is as fast as possible
 * @param maxQueue requests that may wait for their turn
 * @param maxRunning requests that are answered at once
 * @param contextLength tokens of prompt and answer together
 */
record EchoSettings(
    String model, double tokensPerSecond, int maxQueue, int maxRunning, int contextLength) {}
