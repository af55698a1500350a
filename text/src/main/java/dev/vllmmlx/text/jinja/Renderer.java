package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Statement.MacroBody;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Executes statements. One renderer serves one rendering. */
final class Renderer {
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final Evaluation evaluation;
  private final Evaluator evaluator;
  private final Frame.Context context;
  private final Map<String, Statement.Block> blocks;

  Renderer(Evaluation evaluation, Frame.Context context, Map<String, Statement.Block> blocks) {
    this.evaluation = evaluation;
    this.evaluator = new Evaluator(evaluation);
    this.context = context;
    this.blocks = blocks;
  }

  String render(List<Statement> template, Scope scope) {
    var frame = Frame.root(context, true);
    frame.enter(scope);
    if (scope.origins().containsKey("self")) {
      frame.set("self", new BlockReference.Blocks(blocks, this));
    }
    var out = new StringBuilder();
    execute(template, frame, out);
    return out.toString();
  }

  private Flow execute(List<Statement> statements, Frame frame, StringBuilder out) {
    for (int i = 0; i < statements.size(); i++) {
      var flow = execute(statements.get(i), frame, out);
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }

  private Flow execute(Statement statement, Frame frame, StringBuilder out) {
    evaluation.step();
    evaluation.at(statement.line());
    switch (statement) {
      case Statement.Text s -> evaluation.write(out, s.text());
      case Statement.Output s -> write(out, evaluator.evaluate(s.expression(), frame));
      case Statement.If s -> {
        return executeIf(s, frame, out);
      }
      case Statement.For s -> {
        return executeFor(s, frame, out);
      }
      case Statement.Break _ -> {
        return Flow.BREAK;
      }
      case Statement.Continue _ -> {
        return Flow.CONTINUE;
      }
      case Statement.Set s -> executeSet(s, frame);
      case Statement.SetBlock s -> {
        return executeSetBlock(s, frame);
      }
      case Statement.With s -> {
        return executeWith(s, frame, out);
      }
      case Statement.FilterBlock s -> {
        return executeFilterBlock(s, frame, out);
      }
      case Statement.Autoescape s -> {
        return executeAutoescape(s, frame, out);
      }
      case Statement.Macro s -> frame.assign(s.body().name(), new Macro(s.body(), frame, this));
      case Statement.CallBlock s -> {
        var caller = new Macro(s.body(), frame, this);
        writeText(out, evaluator.call(s.call(), frame, Map.of("caller", caller)));
      }
      case Statement.Generation s -> {
        var none = new Arguments(evaluation, List.of(), Map.of());
        write(out, new Macro(s.body(), frame, this).call(none));
      }
      case Statement.Block s -> evaluation.write(out, PyRepr.str(renderBlock(s)));
      case Statement.Load s -> {
        evaluator.evaluate(s.template(), frame);
        throw TemplateException.type("no loader for this environment specified");
      }
    }
    return Flow.NEXT;
  }

  private void write(StringBuilder out, Object value) {
    evaluation.write(
        out, evaluation.autoescape() ? Markup.escape(value).text() : PyRepr.str(value));
  }

  /** What {@code call} and {@code filter} blocks write has to be a string already. */
  private void writeText(StringBuilder out, Object value) {
    if (!PyValues.isText(value)) {
      throw TemplateException.type(
          "sequence item 0: expected str instance, " + PyTypes.name(value) + " found");
    }
    evaluation.write(out, PyRepr.str(value));
  }

  private Flow executeIf(Statement.If statement, Frame frame, StringBuilder out) {
    if (evaluator.test(statement.test(), frame)) {
      return execute(statement.then(), frame, out);
    }
    for (var elif : statement.elifs()) {
      if (evaluator.test(elif.test(), frame)) {
        return execute(elif.body(), frame, out);
      }
    }
    return execute(statement.otherwise(), frame, out);
  }

  private Flow executeFor(Statement.For loop, Frame frame, StringBuilder out) {
    var iterable = evaluator.evaluate(loop.iterable(), frame);
    if (loop.recursive()) {
      evaluation.write(out, PyRepr.str(recurse(loop, iterable, frame, 0)));
      return Flow.NEXT;
    }
    return executeLoop(loop, iterable, null, 0, frame, out);
  }

  private Object recurse(Statement.For loop, Object iterable, Frame frame, int depth) {
    evaluation.enterCall();
    var out = new StringBuilder();
    LoopContext.Recursion again = (inner, level) -> recurse(loop, inner, frame, level);
    executeLoop(loop, iterable, again, depth, frame, out);
    evaluation.leaveCall();
    return captured(out);
  }

  private Flow executeLoop(
      Statement.For statement,
      Object iterable,
      LoopContext.Recursion recursion,
      int depth,
      Frame frame,
      StringBuilder out) {
    var items = statement.test() == null ? iterable : filtered(statement, iterable, frame);
    var loop = new LoopContext(evaluation, items, recursion, depth);
    boolean empty = true;
    var inner = frame.inner();
    while (loop.hasNext()) {
      evaluation.step();
      var item = loop.next();
      inner.enter(statement.bodyScope());
      inner.set("loop", loop);
      bindParameters(statement.target(), item, inner);
      var flow = execute(statement.body(), inner, out);
      // As in Python, only a turn that reaches its end keeps the loop from counting as empty.
      empty &= flow != Flow.NEXT;
      if (flow == Flow.BREAK) {
        break;
      }
    }
    if (!empty || statement.otherwise().isEmpty()) {
      return Flow.NEXT;
    }
    var otherwise = frame.inner();
    otherwise.enter(statement.elseScope());
    return execute(statement.otherwise(), otherwise, out);
  }

  private PyIterator filtered(Statement.For statement, Object iterable, Frame frame) {
    var test = frame.inner();
    test.enter(statement.testScope());
    Iterator<Object> items = PyValues.iterate(iterable);
    return PyIterator.generator(
        new LazyItems(
            evaluation,
            items,
            item -> {
              bindParameters(statement.target(), item, test);
              return evaluator.test(statement.test(), test)
                  ? repack(statement.target(), item, test)
                  : Missing.VALUE;
            }));
  }

  /** A loop with a condition sees tuples where its target unpacks them. */
  private static Object repack(Expression target, Object item, Frame frame) {
    if (!(target instanceof Expression.TupleOf tuple)) {
      return target instanceof Expression.Name name ? frame.get(name.name()) : item;
    }
    return Tuple.of(tuple.items().stream().map(each -> repack(each, item, frame)).toList());
  }

  private void executeSet(Statement.Set statement, Frame frame) {
    var namespaces = new HashSet<String>();
    requireNamespaces(statement.target(), frame, namespaces);
    assign(statement.target(), evaluator.evaluate(statement.value(), frame), frame);
  }

  private static void requireNamespaces(Expression target, Frame frame, HashSet<String> seen) {
    switch (target) {
      case Expression.NamespaceTarget namespace -> {
        boolean ok = frame.getOrMissing(namespace.name()) instanceof Namespace;
        if (seen.add(namespace.name()) && !ok) {
          throw TemplateException.runtime("cannot assign attribute on non-namespace object");
        }
      }
      case Expression.TupleOf tuple ->
          tuple.items().forEach(item -> requireNamespaces(item, frame, seen));
      default -> {}
    }
  }

  private void assign(Expression target, Object value, Frame frame) {
    switch (target) {
      case Expression.Name name -> frame.assign(name.name(), value);
      case Expression.NamespaceTarget namespace -> {
        if (frame.getOrMissing(namespace.name()) instanceof Namespace found) {
          found.attributes().put(namespace.attribute(), value);
        } else {
          throw TemplateException.runtime("cannot assign attribute on non-namespace object");
        }
      }
      case Expression.TupleOf tuple -> {
        var values = unpack(value, tuple.items().size());
        for (int i = 0; i < values.length; i++) {
          assign(tuple.items().get(i), values[i], frame);
        }
      }
      default -> throw new IllegalStateException("the parser checks targets");
    }
  }

  private void bindParameters(Expression target, Object value, Frame frame) {
    if (target instanceof Expression.Name name) {
      frame.set(name.name(), value);
    } else {
      var items = ((Expression.TupleOf) target).items();
      var values = unpack(value, items.size());
      for (int i = 0; i < values.length; i++) {
        bindParameters(items.get(i), values[i], frame);
      }
    }
  }

  private Object[] unpack(Object value, int count) {
    var items = PyValues.iterateOrNull(value);
    if (items == null) {
      throw TemplateException.type("cannot unpack non-iterable " + PyTypes.name(value) + " object");
    }
    var values = new Object[count];
    for (int i = 0; i < count; i++) {
      if (!items.hasNext()) {
        throw TemplateException.value(
            "not enough values to unpack (expected " + count + ", got " + i + ")");
      }
      values[i] = items.next();
    }
    if (items.hasNext()) {
      throw TemplateException.value("too many values to unpack (expected " + count + ")");
    }
    return values;
  }

  private Flow executeSetBlock(Statement.SetBlock statement, Frame frame) {
    var inner = frame.inner();
    inner.enter(statement.scope());
    var out = new StringBuilder();
    var flow = execute(statement.body(), inner, out);
    if (flow != Flow.NEXT) {
      return flow;
    }
    requireNamespaces(statement.target(), frame, new HashSet<>());
    var value = evaluator.blockFilter(statement.filter(), captured(out), inner);
    assign(
        statement.target(),
        evaluation.autoescape() && value instanceof String text ? new Markup(text) : value,
        frame);
    return Flow.NEXT;
  }

  private Object captured(StringBuilder out) {
    return evaluation.autoescape() ? new Markup(out.toString()) : out.toString();
  }

  private Flow executeWith(Statement.With statement, Frame frame, StringBuilder out) {
    var inner = frame.inner();
    inner.enter(statement.scope());
    for (int i = 0; i < statement.targets().size(); i++) {
      var value = evaluator.evaluate(statement.values().get(i), frame);
      bindParameters(statement.targets().get(i), value, inner);
    }
    return execute(statement.body(), inner, out);
  }

  private Flow executeFilterBlock(Statement.FilterBlock statement, Frame frame, StringBuilder out) {
    var inner = frame.inner();
    inner.enter(statement.scope());
    var body = new StringBuilder();
    var flow = execute(statement.body(), inner, body);
    if (flow == Flow.NEXT) {
      writeText(out, evaluator.blockFilter(statement.filter(), captured(body), inner));
    }
    return flow;
  }

  private Flow executeAutoescape(Statement.Autoescape statement, Frame frame, StringBuilder out) {
    var inner = frame.inner();
    inner.enter(statement.scope());
    boolean before = evaluation.autoescape();
    evaluation.autoescape(evaluator.test(statement.enabled(), inner));
    var flow = execute(statement.body(), inner, out);
    evaluation.autoescape(before);
    return flow;
  }

  /** Renders a macro's body; a parameter that is {@link Missing#VALUE} takes its default. */
  Object callMacro(MacroBody macro, Frame definedIn, Map<String, Object> arguments) {
    evaluation.enterCall();
    var frame = definedIn.inner();
    frame.enter(macro.scope());
    arguments.forEach(frame::set);
    int firstDefault = macro.parameters().size() - macro.defaults().size();
    for (int i = 0; i < macro.parameters().size(); i++) {
      var name = macro.parameters().get(i);
      if (frame.getOrMissing(name) == Missing.VALUE) {
        frame.set(
            name,
            i < firstDefault
                ? Undefined.because("parameter " + PyRepr.repr(name) + " was not provided")
                : evaluator.evaluate(macro.defaults().get(i - firstDefault), frame));
      }
    }
    var out = new StringBuilder();
    execute(macro.body(), frame, out);
    evaluation.leaveCall();
    return captured(out);
  }

  Object renderBlock(Statement.Block block) {
    if (block.required()) {
      throw TemplateException.runtime("Required block " + PyRepr.repr(block.name()) + " not found");
    }
    evaluation.enterCall();
    var frame = Frame.root(context, false);
    frame.enter(block.scope());
    if (block.scope().origins().containsKey("self")) {
      frame.set("self", new BlockReference.Blocks(blocks, this));
    }
    if (block.scope().origins().containsKey("super")) {
      frame.set(
          "super",
          Undefined.because("there is no parent block called " + PyRepr.repr(block.name()) + "."));
    }
    var out = new StringBuilder();
    execute(block.body(), frame, out);
    evaluation.leaveCall();
    return captured(out);
  }
}
