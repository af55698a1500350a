package dev.vllmmlx.spi;

/**
 * Tokens used by one generation.
 *
 * @param promptTokens the prompt's length
 * @param cachedTokens how many of them were not computed again
 * @param completionTokens tokens generated, the one that ended the answer included
 */
public record Usage(int promptTokens, int cachedTokens, int completionTokens) {}
