package dev.vllmmlx.cache;

/** The contents of block {@code from} are to be copied to block {@code to}, in every layer. */
public record BlockCopy(int from, int to) {}
