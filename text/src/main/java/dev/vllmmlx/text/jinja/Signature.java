package dev.vllmmlx.text.jinja;

import java.util.Arrays;
import java.util.List;

/**
 * The parameters of a {@link TemplateFunction}, bound as Python binds them.
 *
 * <p>{@code Signature.of("replace", "old", "new", "count=")}: a trailing {@code =} marks a
 * parameter that may be left out.
 */
public final class Signature {
  private final String function;
  private final List<String> names;
  private final int required;
  private final boolean keywords;

  private Signature(String function, List<String> names, int required, boolean keywords) {
    this.function = function;
    this.names = names;
    this.required = required;
    this.keywords = keywords;
  }

  public static Signature of(String function, String... parameters) {
    return new Signature(function, names(parameters), required(parameters), true);
  }

  /** Like {@link #of}, for a function that takes no keyword arguments. */
  public static Signature positional(String function, String... parameters) {
    return new Signature(function, names(parameters), required(parameters), false);
  }

  private static List<String> names(String... parameters) {
    return Arrays.stream(parameters).map(name -> name.replace("=", "")).toList();
  }

  private static int required(String... parameters) {
    return (int) Arrays.stream(parameters).filter(name -> !name.endsWith("=")).count();
  }

  /** What a function does with its bound arguments. */
  @FunctionalInterface
  public interface Body {
    Object apply(Bound arguments);
  }

  public TemplateFunction with(Body body) {
    return arguments -> body.apply(bind(arguments));
  }

  /**
   * @throws TemplateException of kind TYPE if the arguments do not fit
   */
  public Bound bind(Arguments arguments) {
    var values = new Object[names.size()];
    var positional = arguments.positional();
    if (positional.size() > values.length) {
      throw tooMany(positional.size());
    }
    for (int i = 0; i < values.length; i++) {
      values[i] = i < positional.size() ? positional.get(i) : Missing.VALUE;
    }
    arguments.named().forEach((name, value) -> bindNamed(values, name, value));
    for (int i = 0; i < required; i++) {
      if (values[i] == Missing.VALUE) {
        throw missing(values);
      }
    }
    return new Bound(arguments.evaluation(), values);
  }

  private void bindNamed(Object[] values, String name, Object value) {
    if (!keywords) {
      throw TemplateException.type(function + "() takes no keyword arguments");
    }
    int index = names.indexOf(name);
    if (index < 0) {
      throw TemplateException.type(
          function + "() got an unexpected keyword argument " + PyRepr.repr(name));
    }
    if (values[index] != Missing.VALUE) {
      throw TemplateException.type(
          function + "() got multiple values for argument " + PyRepr.repr(name));
    }
    values[index] = value;
  }

  private TemplateException tooMany(int given) {
    var takes =
        required == names.size() ? names.size() + "" : "from " + required + " to " + names.size();
    return TemplateException.type(
        "%s() takes %s positional argument%s but %d %s given"
            .formatted(
                function,
                takes,
                required == names.size() && required == 1 ? "" : "s",
                given,
                given == 1 ? "was" : "were"));
  }

  private TemplateException missing(Object[] values) {
    var absent =
        java.util.stream.IntStream.range(0, required)
            .filter(i -> values[i] == Missing.VALUE)
            .mapToObj(i -> PyRepr.repr(names.get(i)))
            .toList();
    var list =
        switch (absent.size()) {
          case 1 -> absent.getFirst();
          case 2 -> absent.get(0) + " and " + absent.get(1);
          default ->
              String.join(", ", absent.subList(0, absent.size() - 1)) + ", and " + absent.getLast();
        };
    return TemplateException.type(
        "%s() missing %d required positional argument%s: %s"
            .formatted(function, absent.size(), absent.size() == 1 ? "" : "s", list));
  }

  /** Arguments in the order of the parameters. */
  public static final class Bound {
    private final Evaluation evaluation;
    private final Object[] values;

    private Bound(Evaluation evaluation, Object[] values) {
      this.evaluation = evaluation;
      this.values = values;
    }

    Evaluation evaluation() {
      return evaluation;
    }

    public boolean has(int index) {
      return values[index] != Missing.VALUE;
    }

    public Object get(int index) {
      return values[index];
    }

    public Object get(int index, Object fallback) {
      return has(index) ? values[index] : fallback;
    }

    /** The argument's truth. */
    public boolean truth(int index, boolean fallback) {
      return has(index) ? PyValues.truth(values[index]) : fallback;
    }

    /** The argument as an integer; raises a TypeError for what Python cannot use as one. */
    public long integer(int index, long fallback) {
      return has(index) ? PyNumbers.toIndex(values[index]) : fallback;
    }

    /** Python's {@code str} of the argument. */
    public String text(int index) {
      return PyRepr.str(values[index]);
    }
  }
}
