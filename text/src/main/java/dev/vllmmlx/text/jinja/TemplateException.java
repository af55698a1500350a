package dev.vllmmlx.text.jinja;

/**
 * A template that cannot be compiled or rendered. The message is what Python's {@code str(error)}
 * says.
 */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What kind of error it is, by the name of Python's exception. */
  public enum Kind {
    /** The template's text is wrong; found at compile time. */
    SYNTAX("TemplateSyntaxError"),
    /** The template itself refused: {@code raise_exception(message)}. */
    TEMPLATE("TemplateError"),
    RUNTIME("TemplateRuntimeError"),
    UNDEFINED("UndefinedError"),
    SECURITY("SecurityError"),
    FILTER_ARGUMENT("FilterArgumentError"),
    TYPE("TypeError"),
    VALUE("ValueError"),
    INDEX("IndexError"),
    KEY("KeyError"),
    ATTRIBUTE("AttributeError"),
    ASSERTION("AssertionError"),
    ZERO_DIVISION("ZeroDivisionError"),
    OVERFLOW("OverflowError"),
    RECURSION("RecursionError"),
    /** One of {@link TemplateLimits} was reached; Python has no such limit. */
    LIMIT("TemplateLimitError");

    private final String pythonName;

    Kind(String pythonName) {
      this.pythonName = pythonName;
    }

    /** The class name of the exception that Python raises. */
    public String pythonName() {
      return pythonName;
    }
  }

  private final Kind kind;
  private final int line;

  public TemplateException(Kind kind, String message) {
    this(kind, message, 0);
  }

  public TemplateException(Kind kind, String message, int line) {
    super(message, null, false, line > 0);
    this.kind = kind;
    this.line = line;
  }

  public Kind kind() {
    return kind;
  }

  /** The template's line, from 1, or 0 where it is not known. */
  public int line() {
    return line;
  }

  TemplateException at(int knownLine) {
    return line > 0 || knownLine <= 0 ? this : new TemplateException(kind, getMessage(), knownLine);
  }

  static TemplateException syntax(String message, int line) {
    return new TemplateException(Kind.SYNTAX, message, line);
  }

  static TemplateException type(String message) {
    return new TemplateException(Kind.TYPE, message);
  }

  static TemplateException value(String message) {
    return new TemplateException(Kind.VALUE, message);
  }

  static TemplateException runtime(String message) {
    return new TemplateException(Kind.RUNTIME, message);
  }

  static TemplateException limit(String message) {
    return new TemplateException(Kind.LIMIT, message);
  }
}
