package dev.vllmmlx.text.grammar;

import java.util.Objects;

/**
 * Why a constraint cannot be kept. The message is for the client; it says what is wrong and where.
 */
public abstract sealed class ConstraintException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private ConstraintException(String message) {
    super(Objects.requireNonNull(message));
  }

  /** A JSON Schema has a keyword that cannot be kept by masks. */
  public static final class Unsupported extends ConstraintException {
    private static final long serialVersionUID = 1;
    private final String keyword;
    private final String path;

    /**
     * @param path where the keyword stands in the schema, as a JSON pointer ({@code
     *     /properties/a/not}); empty where that is not known
     */
    public Unsupported(String keyword, String path, String why) {
      super(
          path.isEmpty()
              ? "the schema's keyword '%s' cannot be kept: %s".formatted(keyword, why)
              : "the schema's keyword '%s' at %s cannot be kept: %s".formatted(keyword, path, why));
      this.keyword = keyword;
      this.path = path;
    }

    public String keyword() {
      return keyword;
    }

    public String path() {
      return path;
    }
  }

  /** No valid JSON Schema, regular expression or grammar. */
  public static final class Invalid extends ConstraintException {
    private static final long serialVersionUID = 1;

    public Invalid(String message) {
      super(message);
    }
  }

  /** Nothing can ever satisfy it. */
  public static final class Unsatisfiable extends ConstraintException {
    private static final long serialVersionUID = 1;

    public Unsatisfiable(String message) {
      super(message);
    }
  }

  /** It is larger, or becomes larger when it is compiled, than {@link CompileLimits} allow. */
  public static final class TooLarge extends ConstraintException {
    private static final long serialVersionUID = 1;

    public TooLarge(String message) {
      super(message);
    }
  }

  /** It took longer to compile than {@link CompileLimits} allow. */
  public static final class TooSlow extends ConstraintException {
    private static final long serialVersionUID = 1;

    public TooSlow(String message) {
      super(message);
    }
  }

  /** Others are being compiled, and none of them has ended within {@link CompileLimits}' time. */
  public static final class Busy extends ConstraintException {
    private static final long serialVersionUID = 1;

    public Busy(String message) {
      super(message);
    }
  }

  /**
   * A text got to a place where the constraint cannot go on: no token fits, or finding those that
   * fit takes more than {@link CompileLimits} allow. Only this matcher is lost.
   */
  public static final class Stuck extends ConstraintException {
    private static final long serialVersionUID = 1;

    public Stuck(String message) {
      super(message);
    }
  }
}
