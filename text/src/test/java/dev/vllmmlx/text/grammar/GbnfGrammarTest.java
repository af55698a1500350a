package dev.vllmmlx.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.text.tokenizer.Tokenizer;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** llama.cpp's notation. */
class GbnfGrammarTest {
  /** JSON as people write it in this notation. */
  private static final String JSON =
      """
      # any JSON
      root   ::= object
      value  ::= object | array | string | number | ("true" | "false" | "null") ws
      object ::=
        "{" ws (
          string ":" ws value
          ("," ws string ":" ws value)*
        )? "}" ws
      array  ::= "[" ws ( value ("," ws value)* )? "]" ws
      string ::= "\\"" ( [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt/] | "u" [0-9a-fA-F]{4}) )* "\\"" ws
      number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,1})? ws
      ws ::= | " " | "\\n" [ \\t]{0,20}
      """;

  private static final Tokenizer tokenizer = Vocabularies.smolLm();

  @AutoClose private static final ConstraintCompiler compiler = ConstraintCompiler.of(tokenizer);

  private static boolean admits(String grammar, String text) {
    try (var matcher = compiler.compile(new Constraint.Grammar(grammar))) {
      return Texts.admits(matcher, tokenizer, text);
    }
  }

  @Test
  void readsJson() {
    assertThat(GbnfGrammar.isGbnf(JSON)).isTrue();
    assertThat(admits(JSON, "{\"a\": [1, -2.5e3, \"x\\n\\u00e9\", {}], \"b\":true}")).isTrue();
    assertThat(admits(JSON, "{\n  \"a\": null\n}")).isTrue();
    assertThat(admits(JSON, "{\"a\"}")).isFalse();
    assertThat(admits(JSON, "[1]")).isFalse();
    assertThat(admits(JSON, "{\"a\": tru}")).isFalse();
  }

  @Test
  void letsOnlyJsonThrough() {
    var mapper = JsonMapper.builder().build();
    for (var seed = 0; seed < 30; seed++) {
      try (var matcher = compiler.compile(new Constraint.Grammar(JSON))) {
        var text =
            new RandomWalk(tokenizer, seed % 2 == 0).walk(matcher, new Random(seed), 40).text();
        assertThatCode(() -> mapper.readTree(text)).as(text).doesNotThrowAnyException();
      }
    }
  }

  @Test
  void derivesWhatARegexMatches() {
    var grammar =
        """
        root ::= move (" " move){1,3} [!?]? # chess
        move ::= (piece | "O-O" "-O"?) "+"?
        piece ::= [KQRBN] [a-h]
            | [a-h] "x"? [\\x31-\\u0038]
        """;
    var pattern =
        Pattern.compile(
            "(?:(?:[KQRBN][a-h]|[a-h]x?[1-8]|O-O(?:-O)?)\\+?(?: |$|(?=[!?]))){2,4}[!?]?");
    for (var seed = 0; seed < 50; seed++) {
      try (var matcher = compiler.compile(new Constraint.Grammar(grammar))) {
        var text = new RandomWalk(tokenizer, true).walk(matcher, new Random(seed), 20).text();
        assertThat(text).matches(pattern);
      }
    }
    assertThat(admits(grammar, "O-O-O ex5 Nf+!")).isTrue();
    assertThat(admits(grammar, "O-O e9")).isFalse();
  }

  @Test
  void doesNotSwallowWhatBelongsToTheNextRule() {
    // As one terminal, [a-z]* would take the b that must follow.
    var grammar = "root ::= item\nitem ::= \"(\" word \"b\" item? \")\"\nword ::= [a-z]*\n";
    assertThat(admits(grammar, "(b)")).isTrue();
    assertThat(admits(grammar, "(ab)")).isTrue();
    assertThat(admits(grammar, "(bbb(ab))")).isTrue();
    assertThat(admits(grammar, "(a)")).isFalse();
  }

  @Test
  void readsArithmetic() {
    var grammar =
        """
        root  ::= (expr "=" ws term "\\n")+
        expr  ::= term ([-+*/] term)*
        term  ::= ident | num | "(" ws expr ")" ws
        ident ::= [a-z] [a-z0-9_]* ws
        num   ::= [0-9]+ ws
        ws    ::= [ \\t\\n]*
        """;
    assertThat(admits(grammar, "x_1 +(2 *y)= 7\n")).isTrue();
    assertThat(admits(grammar, "x=1\ny=2\n")).isTrue();
    assertThat(admits(grammar, "x+=1\n")).isFalse();
  }

  @Test
  void readsAnyCharacterAndTokens() {
    assertThat(admits("root ::= \"a\" . \"c\"", "a\u4e2dc")).isTrue();
    assertThat(admits("root ::= [^a]", "b")).isTrue();
    assertThat(admits("root ::= [^a]", "a")).isFalse();
    assertThat(admits("root ::= <|im_start|> \"x\" | \"y\"", "<|im_start|>x")).isTrue();
    assertThat(admits("root ::= <[1]> \"x\"", "<|im_start|>x")).isTrue();
    assertThat(admits("root ::= <[1]> \"x\"", "x")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "root ::= missing",
        "start ::= \"a\"",
        "root ::= \"a",
        "root ::= [a",
        "root ::= (\"a\"",
        "root ::= \"a\")",
        "root ::= [b-a]",
        "root ::= \"a\"{2,1}",
        "root ::= \"a\"{x}",
        "root ::= \"\\x4\"",
        "root ::= \"a\"\nroot ::= \"b\"",
        "root ::= \"a\" ::= \"b\"",
        "root ::= !<x>"
      })
  void refusesWhatIsNoGrammar(String grammar) {
    assertThatThrownBy(() -> compiler.compile(new Constraint.Grammar(grammar)))
        .isInstanceOf(ConstraintException.Invalid.class);
  }

  @Test
  void takesNoHostileGrammar() {
    for (var grammar :
        new String[] {
          "root ::= " + "(".repeat(5000) + "\"a\"" + ")".repeat(5000),
          "root ::= root",
          "root ::= a\na ::= root"
        }) {
      assertThatThrownBy(() -> compiler.compile(new Constraint.Grammar(grammar)))
          .isInstanceOf(ConstraintException.class);
    }
    try (var large =
        compiler.compile(new Constraint.Grammar("root ::= ([a-z]{1,1000} \" \"){1,1000}"))) {
      large.mask(new long[1000]);
    }
  }
}
