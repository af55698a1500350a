package dev.vllmmlx.text.grammar;

/**
 * What the native library compiles.
 *
 * @param tag {@code json_schema}, {@code lark} or {@code llguidance} (a list of both, as JSON)
 */
record NativeSource(String tag, String data) {}
