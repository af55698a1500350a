package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Statement.MacroBody;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/** A macro, with the frame that it was defined in. */
final class Macro implements TemplateFunction {
  private final MacroBody body;
  private final Frame definedIn;
  private final Renderer renderer;

  Macro(MacroBody body, Frame definedIn, Renderer renderer) {
    this.body = body;
    this.definedIn = definedIn;
    this.renderer = renderer;
  }

  /** Null for the body of a {@code call} block. */
  String name() {
    return body.name();
  }

  @Override
  public Object call(Arguments arguments) {
    var named = new LinkedHashMap<>(arguments.named());
    var positional = arguments.positional();
    var parameters = body.parameters();
    var values = new LinkedHashMap<String, Object>();
    boolean callerGiven = false;
    for (int i = 0; i < parameters.size(); i++) {
      var parameter = parameters.get(i);
      boolean given = i < positional.size();
      if (!given) {
        callerGiven |= parameter.equals("caller");
      }
      values.put(
          parameter,
          given
              ? positional.get(i)
              : named.containsKey(parameter) ? named.remove(parameter) : Missing.VALUE);
    }
    if (positional.size() >= parameters.size()) {
      callerGiven = parameters.contains("caller");
    }
    if (body.usesCaller() && !callerGiven) {
      var caller = named.remove("caller");
      values.put("caller", caller == null ? noCaller() : caller);
    }
    if (body.usesKwargs()) {
      values.put("kwargs", dict(named));
    } else if (!named.isEmpty()) {
      throw unexpectedKeyword(named);
    }
    if (body.usesVarargs()) {
      int from = Math.min(parameters.size(), positional.size());
      values.put("varargs", Tuple.of(new ArrayList<>(positional.subList(from, positional.size()))));
    } else if (positional.size() > parameters.size()) {
      throw TemplateException.type(
          "macro %s takes not more than %d argument(s)"
              .formatted(PyRepr.repr(body.name()), parameters.size()));
    }
    return renderer.callMacro(body, definedIn, values);
  }

  private static Undefined noCaller() {
    return Undefined.because("No caller defined");
  }

  private static Dict dict(Map<String, Object> named) {
    var dict = new Dict(named.size());
    named.forEach(dict::put);
    return dict;
  }

  private TemplateException unexpectedKeyword(Map<String, Object> named) {
    var name = PyRepr.repr(body.name());
    return TemplateException.type(
        named.containsKey("caller")
            ? "macro "
                + name
                + " was invoked with two values for the special caller argument. This is most"
                + " likely a bug."
            : "macro "
                + name
                + " takes no keyword argument "
                + PyRepr.repr(named.keySet().iterator().next()));
  }

  /** {@link Missing#VALUE} if there is no such attribute. */
  Object attribute(String attribute) {
    return switch (attribute) {
      case "name" -> body.name();
      case "arguments" -> Tuple.of(new ArrayList<>(body.parameters()));
      case "catch_kwargs" -> body.usesKwargs();
      case "catch_varargs" -> body.usesVarargs();
      case "caller" -> body.usesCaller();
      case "explicit_caller" -> body.parameters().contains("caller");
      default -> Missing.VALUE;
    };
  }
}
