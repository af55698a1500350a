package dev.vllmmlx.text.jinja;

/** The one value that a template may change, by {@code set ns.attribute = value}. */
record Namespace(Dict attributes) {}
