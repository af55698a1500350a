package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.CallArguments;
import dev.vllmmlx.text.jinja.Expression.Comparison;
import dev.vllmmlx.text.jinja.Expression.Keyword;
import dev.vllmmlx.text.jinja.Expression.Operand;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** Builds the tree of expressions, with Jinja's precedences. */
final class ExpressionParser {
  /** Python's own compiler gives up at about this depth. */
  private static final int MAX_DEPTH = 200;

  private final TokenStream stream;
  private int depth;

  ExpressionParser(TokenStream stream) {
    this.stream = stream;
  }

  Expression expression() {
    return conditional();
  }

  /** An expression, or a tuple if commas follow; {@code endName} is a name that ends it. */
  Expression tuple(boolean withConditional, String... endName) {
    return tuple(withConditional, false, endName);
  }

  private Expression tuple(boolean withConditional, boolean parenthesized, String... endName) {
    var items = new ArrayList<Expression>();
    boolean isTuple = false;
    while (true) {
      if (!items.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (atTupleEnd(endName)) {
        break;
      }
      items.add(withConditional ? conditional() : or());
      if (!stream.at(TokenType.COMMA)) {
        break;
      }
      isTuple = true;
    }
    return finishTuple(items, isTuple, parenthesized);
  }

  private Expression finishTuple(List<Expression> items, boolean isTuple, boolean parenthesized) {
    if (!isTuple && !items.isEmpty()) {
      return items.getFirst();
    }
    if (!isTuple && !parenthesized) {
      throw stream.fail(
          "Expected an expression, got " + PyRepr.repr(stream.current().description()));
    }
    return new Expression.TupleOf(List.copyOf(items));
  }

  private boolean atTupleEnd(String... endName) {
    return switch (stream.current().type()) {
      case VARIABLE_END, BLOCK_END, RPAREN -> true;
      default -> endName.length > 0 && stream.atName(endName[0]);
    };
  }

  /** A name, a tuple of names or, where allowed, an attribute of a namespace. */
  Expression assignTarget(String endName, boolean withNamespace) {
    int line = stream.line();
    var items = new ArrayList<Expression>();
    boolean isTuple = false;
    while (true) {
      if (!items.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (endName == null ? atTupleEnd() : atTupleEnd(endName)) {
        break;
      }
      items.add(primary(withNamespace));
      if (!stream.at(TokenType.COMMA)) {
        break;
      }
      isTuple = true;
    }
    var target = finishTuple(items, isTuple, false);
    requireAssignable(target, line);
    return target;
  }

  private static void requireAssignable(Expression target, int line) {
    switch (target) {
      case Expression.Name _, Expression.NamespaceTarget _ -> {}
      case Expression.TupleOf tuple -> {
        for (var item : tuple.items()) {
          if (!isAssignable(item)) {
            throw TemplateException.syntax("can't assign to 'tuple'", line);
          }
        }
      }
      case Expression.Constant _ -> throw TemplateException.syntax("can't assign to 'const'", line);
      case Expression.ListOf _ -> throw TemplateException.syntax("can't assign to 'list'", line);
      case Expression.DictOf _ -> throw TemplateException.syntax("can't assign to 'dict'", line);
      default ->
          throw TemplateException.syntax(
              "can't assign to '"
                  + target.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT)
                  + "'",
              line);
    }
  }

  private static boolean isAssignable(Expression target) {
    return switch (target) {
      case Expression.Name _, Expression.NamespaceTarget _ -> true;
      case Expression.TupleOf tuple ->
          tuple.items().stream().allMatch(ExpressionParser::isAssignable);
      default -> false;
    };
  }

  static void requireAssignable(String name, int line) {
    switch (name) {
      case "true", "false", "none", "True", "False", "None" ->
          throw TemplateException.syntax("can't assign to 'name'", line);
      default -> {}
    }
  }

  private Expression conditional() {
    int line = stream.line();
    var expression = or();
    while (stream.skipIfName("if")) {
      var test = or();
      var otherwise = stream.skipIfName("else") ? conditional() : null;
      expression = new Expression.Conditional(test, expression, otherwise, line);
      line = stream.line();
    }
    return expression;
  }

  private Expression or() {
    var left = and();
    while (stream.skipIfName("or")) {
      left = new Expression.Or(left, and());
    }
    return left;
  }

  private Expression and() {
    var left = not();
    while (stream.skipIfName("and")) {
      left = new Expression.And(left, not());
    }
    return left;
  }

  private Expression not() {
    if (stream.skipIfName("not")) {
      enter();
      var operand = not();
      depth--;
      return new Expression.Not(operand);
    }
    return compare();
  }

  private void enter() {
    if (++depth > MAX_DEPTH) {
      throw stream.fail("too many nested expressions");
    }
  }

  private Expression compare() {
    var first = sum();
    var operands = new ArrayList<Operand>();
    while (true) {
      var comparison = comparison();
      if (comparison == null) {
        break;
      }
      operands.add(new Operand(comparison, sum()));
    }
    return operands.isEmpty() ? first : new Expression.Compare(first, List.copyOf(operands));
  }

  private Comparison comparison() {
    var comparison =
        switch (stream.current().type()) {
          case EQ -> Comparison.EQ;
          case NE -> Comparison.NE;
          case LT -> Comparison.LT;
          case LTEQ -> Comparison.LTEQ;
          case GT -> Comparison.GT;
          case GTEQ -> Comparison.GTEQ;
          case NAME -> {
            if (stream.atName("in")) {
              yield Comparison.IN;
            }
            boolean notIn = stream.atName("not") && stream.look().isName("in");
            if (notIn) {
              stream.next();
            }
            yield notIn ? Comparison.NOT_IN : null;
          }
          default -> null;
        };
    if (comparison != null) {
      stream.next();
    }
    return comparison;
  }

  private Expression sum() {
    var left = concat();
    while (stream.at(TokenType.ADD) || stream.at(TokenType.SUB)) {
      var operator = stream.next().type();
      left = new Expression.Binary(operator, left, concat());
    }
    return left;
  }

  private Expression concat() {
    var first = product();
    if (!stream.at(TokenType.TILDE)) {
      return first;
    }
    var parts = new ArrayList<Expression>();
    parts.add(first);
    while (stream.skipIf(TokenType.TILDE)) {
      parts.add(product());
    }
    return new Expression.Concat(List.copyOf(parts));
  }

  private Expression product() {
    var left = power();
    while (true) {
      switch (stream.current().type()) {
        case MUL, DIV, FLOORDIV, MOD -> {
          var operator = stream.next().type();
          left = new Expression.Binary(operator, left, power());
        }
        default -> {
          return left;
        }
      }
    }
  }

  /** Left-associative, unlike Python's. */
  private Expression power() {
    var left = unary(true);
    while (stream.skipIf(TokenType.POW)) {
      left = new Expression.Binary(TokenType.POW, left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilter) {
    enter();
    Expression node;
    if (stream.skipIf(TokenType.SUB)) {
      node = new Expression.Negative(unary(false));
    } else if (stream.skipIf(TokenType.ADD)) {
      node = new Expression.Positive(unary(false));
    } else {
      node = primary(false);
    }
    node = postfix(node);
    if (withFilter) {
      node = filtersAndTests(node);
    }
    depth--;
    return node;
  }

  private Expression primary(boolean withNamespace) {
    var token = stream.current();
    switch (token.type()) {
      case NAME -> {
        stream.next();
        return name(token.text(), withNamespace);
      }
      case STRING -> {
        var text = new StringBuilder();
        while (stream.at(TokenType.STRING)) {
          text.append(stream.next().text());
        }
        return new Expression.Constant(text.toString());
      }
      case INTEGER, FLOAT -> {
        stream.next();
        return new Expression.Constant(token.value());
      }
      case LPAREN -> {
        stream.next();
        var inner = tuple(true, true);
        stream.expect(TokenType.RPAREN);
        return inner;
      }
      case LBRACKET -> {
        return list();
      }
      case LBRACE -> {
        return dict();
      }
      default -> throw stream.fail("unexpected " + PyRepr.repr(token.description()));
    }
  }

  private Expression name(String name, boolean withNamespace) {
    return switch (name) {
      case "true", "True" -> new Expression.Constant(true);
      case "false", "False" -> new Expression.Constant(false);
      case "none", "None" -> new Expression.Constant(null);
      default -> {
        if (withNamespace && stream.skipIf(TokenType.DOT)) {
          yield new Expression.NamespaceTarget(name, stream.expect(TokenType.NAME).text());
        }
        yield new Expression.Name(name);
      }
    };
  }

  private Expression list() {
    stream.next();
    var items = new ArrayList<Expression>();
    while (!stream.at(TokenType.RBRACKET)) {
      if (!items.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (stream.at(TokenType.RBRACKET)) {
        break;
      }
      items.add(conditional());
    }
    stream.next();
    return new Expression.ListOf(List.copyOf(items));
  }

  private Expression dict() {
    stream.next();
    var keys = new ArrayList<Expression>();
    var values = new ArrayList<Expression>();
    while (!stream.at(TokenType.RBRACE)) {
      if (!keys.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (stream.at(TokenType.RBRACE)) {
        break;
      }
      keys.add(conditional());
      stream.expect(TokenType.COLON);
      values.add(conditional());
    }
    stream.next();
    return new Expression.DictOf(List.copyOf(keys), List.copyOf(values));
  }

  private Expression postfix(Expression start) {
    var node = start;
    while (true) {
      switch (stream.current().type()) {
        case DOT -> node = attribute(node);
        case LBRACKET -> node = subscript(node);
        case LPAREN -> node = call(node);
        default -> {
          return node;
        }
      }
    }
  }

  private Expression filtersAndTests(Expression start) {
    var node = start;
    while (true) {
      if (stream.at(TokenType.PIPE)) {
        node = filters(node);
      } else if (stream.atName("is")) {
        node = test(node);
      } else if (stream.at(TokenType.LPAREN)) {
        node = call(node);
      } else {
        return node;
      }
    }
  }

  private Expression attribute(Expression object) {
    stream.next();
    var token = stream.next();
    return switch (token.type()) {
      case NAME -> new Expression.Attribute(object, token.text());
      case INTEGER -> new Expression.Item(object, new Expression.Constant(token.value()));
      default -> throw TemplateException.syntax("expected name or number", token.line());
    };
  }

  private Expression subscript(Expression object) {
    stream.next();
    var keys = new ArrayList<Expression>();
    while (!stream.at(TokenType.RBRACKET)) {
      if (!keys.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      keys.add(keyOrSlice());
    }
    stream.next();
    var key = keys.size() == 1 ? keys.getFirst() : new Expression.TupleOf(List.copyOf(keys));
    return new Expression.Item(object, key);
  }

  private Expression keyOrSlice() {
    Expression start = null;
    if (!stream.at(TokenType.COLON)) {
      start = conditional();
      if (!stream.at(TokenType.COLON)) {
        return start;
      }
    }
    stream.next();
    var stop = atBoundEnd() || stream.at(TokenType.COLON) ? null : conditional();
    Expression step = null;
    if (stream.skipIf(TokenType.COLON) && !atBoundEnd()) {
      step = conditional();
    }
    return new Expression.Slice(start, stop, step);
  }

  private boolean atBoundEnd() {
    return stream.at(TokenType.RBRACKET) || stream.at(TokenType.COMMA);
  }

  private Expression call(Expression callee) {
    int line = stream.line();
    return new Expression.Call(callee, callArguments(), line);
  }

  private CallArguments callArguments() {
    int line = stream.expect(TokenType.LPAREN).line();
    var positional = new ArrayList<Expression>();
    var keywords = new ArrayList<Keyword>();
    var names = new HashSet<String>();
    Expression spread = null;
    Expression spreadKeywords = null;
    boolean comma = false;
    while (!stream.at(TokenType.RPAREN)) {
      if (comma) {
        stream.expect(TokenType.COMMA);
        if (stream.at(TokenType.RPAREN)) {
          break;
        }
      }
      comma = true;
      if (stream.at(TokenType.MUL)) {
        require(spread == null && spreadKeywords == null, line);
        stream.next();
        spread = conditional();
      } else if (stream.at(TokenType.POW)) {
        require(spreadKeywords == null, line);
        stream.next();
        spreadKeywords = conditional();
      } else if (stream.at(TokenType.NAME) && stream.look().is(TokenType.ASSIGN)) {
        require(spreadKeywords == null, line);
        var name = stream.next().text();
        stream.next();
        if (!names.add(name)) {
          throw TemplateException.syntax("keyword argument repeated: " + name, line);
        }
        keywords.add(new Keyword(name, conditional()));
      } else {
        require(spread == null && spreadKeywords == null && keywords.isEmpty(), line);
        positional.add(conditional());
      }
    }
    stream.expect(TokenType.RPAREN);
    return new CallArguments(
        List.copyOf(positional), List.copyOf(keywords), spread, spreadKeywords);
  }

  private void require(boolean valid, int line) {
    if (!valid) {
      throw TemplateException.syntax("invalid syntax for function call expression", line);
    }
  }

  /**
   * The filters that follow, applied to {@code operand}; {@code operand} itself if there are none.
   */
  Expression filters(Expression operand) {
    var node = operand;
    while (stream.skipIf(TokenType.PIPE)) {
      node = filter(node);
    }
    return node;
  }

  /** The filter whose name is current: the start of a {@code filter} block's chain. */
  Expression firstFilter() {
    return filter(null);
  }

  private Expression filter(Expression operand) {
    var token = stream.expect(TokenType.NAME);
    var name = dottedName(token);
    var arguments = stream.at(TokenType.LPAREN) ? callArguments() : CallArguments.NONE;
    return new Expression.Filter(operand, name, arguments, token.line());
  }

  private String dottedName(Token first) {
    var name = first.text();
    while (stream.skipIf(TokenType.DOT)) {
      name += "." + stream.expect(TokenType.NAME).text();
    }
    return name;
  }

  private Expression test(Expression operand) {
    int line = stream.next().line();
    boolean negated = stream.skipIfName("not");
    var name = dottedName(stream.expect(TokenType.NAME));
    var arguments = CallArguments.NONE;
    if (stream.at(TokenType.LPAREN)) {
      arguments = callArguments();
    } else if (atTestArgument()) {
      if (stream.atName("is")) {
        throw stream.fail("You cannot chain multiple tests with is");
      }
      arguments = new CallArguments(List.of(postfix(primary(false))), List.of(), null, null);
    }
    var test = new Expression.Test(operand, name, arguments, line);
    return negated ? new Expression.Not(test) : test;
  }

  private boolean atTestArgument() {
    var token = stream.current();
    return switch (token.type()) {
      case NAME -> !token.isName("else") && !token.isName("or", "and");
      case STRING, INTEGER, FLOAT, LBRACKET, LBRACE -> true;
      default -> false;
    };
  }
}
