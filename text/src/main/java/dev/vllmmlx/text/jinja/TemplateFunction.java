package dev.vllmmlx.text.jinja;

/** What a template can call: a global, a filter (its operand comes first), a test or a method. */
@FunctionalInterface
public interface TemplateFunction {
  /**
   * Runs on the rendering thread. Arguments and result are values as {@link Template#render} takes
   * them, or this package's own.
   *
   * @throws TemplateException for what Python raises
   */
  Object call(Arguments arguments);
}
