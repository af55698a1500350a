package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.Comparison;
import dev.vllmmlx.text.jinja.Expression.Operand;
import java.util.ArrayList;
import java.util.List;

/** Builds the tree of expressions: operators, with Jinja's precedences. */
final class ExpressionParser {
  /** Python's own compiler gives up at about this depth. */
  private static final int MAX_DEPTH = 200;

  private final TokenStream stream;
  private final OperandParser operands;
  private int depth;

  ExpressionParser(TokenStream stream) {
    this.stream = stream;
    this.operands = new OperandParser(stream, this);
  }

  Expression expression() {
    return conditional();
  }

  /** An expression, or a tuple if commas follow; {@code endName} is a name that ends it. */
  Expression tuple(boolean withConditional, String... endName) {
    return tuple(withConditional, false, endName);
  }

  /** {@code parenthesized}: nothing at all is the empty tuple. */
  Expression tuple(boolean withConditional, boolean parenthesized, String... endName) {
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
      items.add(operands.primary(withNamespace));
      if (!stream.at(TokenType.COMMA)) {
        break;
      }
      isTuple = true;
    }
    var target = finishTuple(items, isTuple, false);
    AssignmentTargets.require(target, line);
    return target;
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
      node = operands.primary(false);
    }
    node = operands.postfix(node);
    if (withFilter) {
      node = operands.filtersAndTests(node);
    }
    depth--;
    return node;
  }

  /**
   * The filters that follow, applied to {@code operand}; {@code operand} itself if there are none.
   */
  Expression filters(Expression operand) {
    return operands.filters(operand);
  }

  /** The filter whose name is current: the start of a {@code filter} block's chain. */
  Expression firstFilter() {
    return operands.filter(null);
  }
}
