package dev.vllmmlx.text.jinja;

/** Stands for "no value at all", where {@code null} is Python's {@code None}. */
enum Missing {
  VALUE
}
