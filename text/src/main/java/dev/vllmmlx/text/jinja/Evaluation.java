package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.TemplateException.Kind;

/** The state of one rendering that everything in it shares: what it has used of its limits. */
final class Evaluation {
  /** Characters copied that count as one step, so that few big values cost as many small ones. */
  private static final int CHARACTERS_PER_STEP = 4;

  private final Environment environment;
  private final TemplateLimits limits;
  private long steps;
  private long written;
  private int depth;
  private int line;
  private boolean autoescape;

  Evaluation(Environment environment) {
    this.environment = environment;
    this.limits = environment.limits();
  }

  Environment environment() {
    return environment;
  }

  TemplateLimits limits() {
    return limits;
  }

  void step() {
    if (++steps > limits.steps()) {
      throw tooManySteps();
    }
  }

  private TemplateException tooManySteps() {
    return TemplateException.limit("the template ran for more than " + limits.steps() + " steps");
  }

  /** Called before a string or list of this size is made. */
  void allocate(long size) {
    if (size > limits.valueCharacters()) {
      throw TemplateException.limit(
          "a value would be larger than " + limits.valueCharacters() + " characters or items");
    }
    steps += size / CHARACTERS_PER_STEP;
    if (steps > limits.steps()) {
      throw tooManySteps();
    }
  }

  void write(StringBuilder out, String text) {
    written += text.length();
    if (written > limits.outputCharacters()) {
      throw TemplateException.limit(
          "the output is longer than " + limits.outputCharacters() + " characters");
    }
    out.append(text);
  }

  void enterCall() {
    if (++depth > limits.callDepth()) {
      throw new TemplateException(Kind.RECURSION, "maximum recursion depth exceeded");
    }
  }

  void leaveCall() {
    depth--;
  }

  int line() {
    return line;
  }

  void at(int newLine) {
    line = newLine;
  }

  boolean autoescape() {
    return autoescape;
  }

  void autoescape(boolean enabled) {
    autoescape = enabled;
  }
}
