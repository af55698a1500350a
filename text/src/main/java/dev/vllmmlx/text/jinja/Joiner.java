package dev.vllmmlx.text.jinja;

/** The {@code joiner} global's value: nothing at its first call, then the separator. */
final class Joiner implements TemplateFunction {
  private final Object separator;
  private boolean used;

  Joiner(Object separator) {
    this.separator = separator;
  }

  @Override
  public Object call(Arguments arguments) {
    Signature.of("__call__").bind(arguments);
    if (used) {
      return separator;
    }
    used = true;
    return "";
  }

  /** {@link Missing#VALUE} if there is no such attribute. */
  Object attribute(String name) {
    return switch (name) {
      case "sep" -> separator;
      case "used" -> used;
      default -> Missing.VALUE;
    };
  }
}
