package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.CallArguments;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Evaluates expressions. */
final class Evaluator {
  private final Evaluation evaluation;
  private final PyArithmetic arithmetic;

  Evaluator(Evaluation evaluation) {
    this.evaluation = evaluation;
    this.arithmetic = new PyArithmetic(evaluation);
  }

  boolean test(Expression expression, Frame frame) {
    return PyValues.truth(evaluate(expression, frame));
  }

  Object evaluate(Expression expression, Frame frame) {
    evaluation.step();
    return switch (expression) {
      case Expression.Constant e -> e.value();
      case Expression.Name e -> frame.get(e.name());
      case Expression.Attribute e -> PyAttributes.attribute(evaluate(e.object(), frame), e.name());
      case Expression.Item e -> item(e, frame);
      case Expression.Compare e -> compare(e, frame);
      case Expression.And e -> {
        var left = evaluate(e.left(), frame);
        yield PyValues.truth(left) ? evaluate(e.right(), frame) : left;
      }
      case Expression.Or e -> {
        var left = evaluate(e.left(), frame);
        yield PyValues.truth(left) ? left : evaluate(e.right(), frame);
      }
      case Expression.Not e -> !test(e.operand(), frame);
      case Expression.Binary e ->
          arithmetic.binary(e.operator(), evaluate(e.left(), frame), evaluate(e.right(), frame));
      case Expression.Test e -> test(e, frame);
      case Expression.Filter e -> filter(e, evaluate(e.operand(), frame), frame);
      case Expression.Call e -> call(e, frame, Map.of());
      case Expression.Concat e -> concat(e, frame);
      case Expression.Conditional e -> conditional(e, frame);
      case Expression.Negative e -> arithmetic.negate(evaluate(e.operand(), frame));
      case Expression.Positive e -> arithmetic.positive(evaluate(e.operand(), frame));
      case Expression.ListOf e -> all(e.items(), frame);
      case Expression.TupleOf e -> Tuple.of(all(e.items(), frame));
      case Expression.DictOf e -> dict(e, frame);
      case Expression.Slice _ -> throw TemplateException.type("unhashable type: 'slice'");
      case Expression.NamespaceTarget _ -> throw new IllegalStateException("only a target");
    };
  }

  private List<Object> all(List<Expression> expressions, Frame frame) {
    var values = new Object[expressions.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = evaluate(expressions.get(i), frame);
    }
    return Collections.unmodifiableList(Arrays.asList(values));
  }

  private Dict dict(Expression.DictOf expression, Frame frame) {
    var dict = new Dict();
    for (int i = 0; i < expression.keys().size(); i++) {
      var key = evaluate(expression.keys().get(i), frame);
      dict.put(key, evaluate(expression.values().get(i), frame));
    }
    return dict;
  }

  private Object item(Expression.Item expression, Frame frame) {
    var object = evaluate(expression.object(), frame);
    if (expression.key() instanceof Expression.Slice slice) {
      return PySlices.slice(
          evaluation,
          object,
          bound(slice.start(), frame),
          bound(slice.stop(), frame),
          bound(slice.step(), frame));
    }
    return PyAttributes.item(object, evaluate(expression.key(), frame));
  }

  private Object bound(Expression expression, Frame frame) {
    return expression == null ? null : evaluate(expression, frame);
  }

  private Object compare(Expression.Compare expression, Frame frame) {
    var left = evaluate(expression.first(), frame);
    for (var operand : expression.operands()) {
      var right = evaluate(operand.expression(), frame);
      if (!holds(operand.comparison(), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private boolean holds(Expression.Comparison comparison, Object left, Object right) {
    return switch (comparison) {
      case EQ -> PyValues.equal(left, right);
      case NE -> !PyValues.equal(left, right);
      case LT -> PyValues.order("<", left, right);
      case LTEQ -> PyValues.order("<=", left, right);
      case GT -> PyValues.order(">", left, right);
      case GTEQ -> PyValues.order(">=", left, right);
      case IN -> PyValues.contains(right, left);
      case NOT_IN -> !PyValues.contains(right, left);
    };
  }

  private Object concat(Expression.Concat expression, Frame frame) {
    var parts = all(expression.parts(), frame);
    boolean markup = evaluation.autoescape() && parts.stream().anyMatch(p -> p instanceof Markup);
    var text = new StringBuilder();
    for (var part : parts) {
      var string = markup ? Markup.escape(part).text() : PyRepr.str(part);
      evaluation.allocate((long) text.length() + string.length());
      text.append(string);
    }
    return markup ? new Markup(text.toString()) : text.toString();
  }

  private Object conditional(Expression.Conditional expression, Frame frame) {
    if (test(expression.test(), frame)) {
      return evaluate(expression.then(), frame);
    }
    if (expression.otherwise() == null) {
      return Undefined.because(
          "the inline if-expression on line "
              + expression.line()
              + " evaluated to false and no else section was defined.");
    }
    return evaluate(expression.otherwise(), frame);
  }

  private Object test(Expression.Test expression, Frame frame) {
    var test = evaluation.environment().test(expression.name());
    var operand = evaluate(expression.operand(), frame);
    var arguments = arguments(expression.arguments(), operand, frame, Map.of());
    if (test == null) {
      throw notFound("test", expression.name());
    }
    return test.call(arguments);
  }

  /** Applies a filter to an operand that has been evaluated (or rendered, for a block). */
  Object filter(Expression.Filter expression, Object operand, Frame frame) {
    var filter = evaluation.environment().filter(expression.name());
    var arguments = arguments(expression.arguments(), operand, frame, Map.of());
    if (filter == null) {
      throw notFound("filter", expression.name());
    }
    return filter.call(arguments);
  }

  private static TemplateException notFound(String what, String name) {
    return TemplateException.runtime("No " + what + " named " + PyRepr.repr(name) + " found.");
  }

  /** Applies the filters of a block; the innermost has no operand of its own. */
  Object blockFilter(Expression expression, Object content, Frame frame) {
    return expression instanceof Expression.Filter filter
        ? filter(filter, blockFilter(filter.operand(), content, frame), frame)
        : content;
  }

  Object call(Expression.Call expression, Frame frame, Map<String, Object> extra) {
    var callee = evaluate(expression.callee(), frame);
    PyValues.requireDefined(callee);
    var arguments = arguments(expression.arguments(), Missing.VALUE, frame, extra);
    if (!(callee instanceof TemplateFunction function)) {
      throw TemplateException.type("'" + PyTypes.name(callee) + "' object is not callable");
    }
    evaluation.at(expression.line());
    return function.call(arguments);
  }

  private Arguments arguments(
      CallArguments call, Object first, Frame frame, Map<String, Object> extra) {
    if (call == CallArguments.NONE && extra.isEmpty()) {
      var positional =
          first == Missing.VALUE
              ? List.of()
              : Collections.unmodifiableList(Arrays.asList(new Object[] {first}));
      return new Arguments(evaluation, positional, Map.of());
    }
    var positional = new ArrayList<Object>();
    if (first != Missing.VALUE) {
      positional.add(first);
    }
    for (var argument : call.positional()) {
      positional.add(evaluate(argument, frame));
    }
    var named = new LinkedHashMap<String, Object>();
    for (var keyword : call.keywords()) {
      named.put(keyword.name(), evaluate(keyword.value(), frame));
    }
    named.putAll(extra);
    if (call.spread() != null) {
      spread(evaluate(call.spread(), frame), positional);
    }
    if (call.spreadKeywords() != null) {
      spreadKeywords(evaluate(call.spreadKeywords(), frame), named);
    }
    return new Arguments(evaluation, positional, named);
  }

  private void spread(Object value, List<Object> positional) {
    var items = PyValues.iterateOrNull(value);
    if (items == null) {
      throw TemplateException.type("Value after * must be an iterable, not " + PyTypes.name(value));
    }
    while (items.hasNext()) {
      evaluation.step();
      positional.add(items.next());
    }
  }

  private static void spreadKeywords(Object value, Map<String, Object> named) {
    PyValues.requireDefined(value);
    if (!(value instanceof Dict dict)) {
      throw TemplateException.type(
          "argument after ** must be a mapping, not " + PyTypes.name(value));
    }
    for (var key : dict.keys()) {
      if (!(key instanceof String name)) {
        throw TemplateException.type("keywords must be strings");
      }
      if (named.containsKey(name)) {
        throw TemplateException.type(
            "got multiple values for keyword argument " + PyRepr.repr(name));
      }
      named.put(name, dict.get(key));
    }
  }
}
