package dev.vllmmlx.text.jinja;

import java.math.BigInteger;
import java.util.List;

/** Python's names of types. */
final class PyTypes {
  private PyTypes() {}

  /** What {@code type(value).__name__} says. */
  static String name(Object value) {
    return switch (value) {
      case null -> "NoneType";
      case Boolean _ -> "bool";
      case Long _, BigInteger _ -> "int";
      case Double _ -> "float";
      case String _ -> "str";
      case Markup _ -> "Markup";
      case Range _ -> "range";
      case List<?> _ -> "list";
      case Tuple tuple -> tuple.group() ? "_GroupTuple" : "tuple";
      case Dict _ -> "dict";
      case Dict.View view -> "dict_" + view.method();
      case Undefined _ -> "Undefined";
      case PyIterator iterator -> iterator.typeName();
      case Namespace _ -> "Namespace";
      case LoopContext _ -> "LoopContext";
      case Macro _ -> "Macro";
      case Cycler _ -> "Cycler";
      case Joiner _ -> "Joiner";
      case BlockReference _ -> "BlockReference";
      case BlockReference.Blocks _ -> "TemplateReference";
      case BoundMethod _ -> "builtin_function_or_method";
      default -> "function";
    };
  }

  /** As messages about undefined values name the owner. */
  static String describe(Object value) {
    var name = name(value);
    return switch (value) {
      case null -> "None";
      case Namespace _, Cycler _, Joiner _ -> "jinja2.utils." + name + " object";
      case LoopContext _, Macro _, BlockReference _, BlockReference.Blocks _ ->
          "jinja2.runtime." + name + " object";
      case Markup _ -> "markupsafe.Markup object";
      case Tuple tuple when tuple.group() -> "jinja2.filters._GroupTuple object";
      default -> name + " object";
    };
  }
}
