package dev.vllmmlx.text.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Text that is hard on tokenizers: many scripts, marks, emoji, code, spaces, control characters.
 */
final class Texts {
  private static final List<String> WRITTEN =
      List.of(
          "",
          " ",
          "  ",
          "   \n\n \t\t \r\n  ",
          "\u0000",
          "a\u0000b\u0001\u0007\u001b[0m\u007f\u0085",
          "Hello world",
          " Hello  world   !",
          "The quick brown fox doesn't jump, THEY'RE lazy; I'LL, we've, it's, X's 'S",
          "HelloWorld camelCase snake_case SCREAMING_CASE kebab-case",
          "naïve café résumé (composed), cafe\u0301 re\u0301sume\u0301 (decomposed), Å Å Å",
          "Быстрая лиса прыгает. Γρήγορη αλεπού. שלום עולם! مرحبا بالعالم؟",
          "नमस्ते दुनिया। বাংলা தமிழ் తెలుగు ಕನ್ನಡ മലയാളം සිංහල",
          "สวัสดีชาวโลก ສະບາຍດີ မင်္ဂလာပါ សួស្តី ቋንቋ ქართული Հայերեն",
          "你好，世界！敏捷的棕色狐狸。漢字とひらがなとカタカナ、ｶﾀｶﾅ。안녕하세요 세계 ㅋㅋㅋ",
          "𠀋 𝓗𝓮𝓵𝓵𝓸 𐍈 🜁",
          "😀😃🎉👨‍👩‍👧🇬🇧👍🏽❤️🏴\uDB40\uDC67\uDB40\uDC62\uDB40\uDC65\uDB40\uDC6E\uDB40\uDC67\uDB40\uDC7F",
          "Ω Ω ﬁ ﬂ ½ ² ③ Ⅷ ㍿ ℃ ™ … ‐ – — ‘quote’ “double”",
          "\u00a0\u2003\u2009\u200b\u200d\u2060\ufeff\u3000\u2028\u2029\u000b\f",
          "0 1 12 123 1234 12345 1234567890 3.14159 1,000,000 -1e-10 ١٢٣ १२३",
          "def f(x):\n    return {\n\t\"key\": [1, 2, 3],  # comment\n    }\n\n\nprint(f'{x!r}')\n",
          "<html><body class=\"a\">&nbsp;</body></html> $x^2$ \\frac{a}{b} /* c */ // d",
          "!!!???...,,,;;;:::---___===+++***///\\\\\\|||~~~```'''\"\"\"@@@###$$$%%%^^^&&&((()))[[[]]]{{{}}}<<<>>>",
          "\ufffd\ufffe\uffff \ud83d\udc4b\uFE0F",
          "▁ ▁▁ Ġ Ċ <0x0A> <0xE4> </w> ## ##ing [UNK] [CLS]",
          "e\u0301\u0301\u0301\u0301 a\u0300b\u0327\u0302 \u0301lone",
          "left   right   alone left.right aloneness Å Å <tool call> <think>\n</think>",
          "unmergeable unmergeable");

  private static final String[] SPECIAL = {
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|begin_of_text|>",
    "<|eot_id|>",
    "<s>",
    "</s>",
    "<unk>",
    "<think>",
    "<tool call>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[SEP]",
    "[MASK]",
    "<|im_",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>"
  };

  private Texts() {}

  /** Written ones, each special token in a text, and random ones, the same for the same seed. */
  static List<String> all(int random, long seed) {
    var texts = new ArrayList<>(WRITTEN);
    for (var token : SPECIAL) {
      texts.add(token);
      texts.add("a " + token + " b" + token + token + "\n" + token);
    }
    var source = new Random(seed);
    for (var i = 0; i < random; i++) {
      texts.add(random(source));
    }
    return texts;
  }

  /** Pieces of the written texts, special tokens and any characters at all. */
  static String random(Random source) {
    var text = new StringBuilder();
    var parts = source.nextInt(1, 20);
    for (var part = 0; part < parts; part++) {
      switch (source.nextInt(8)) {
        case 0 -> text.append(SPECIAL[source.nextInt(SPECIAL.length)]);
        case 1 -> text.append(" \n\t".charAt(source.nextInt(3)));
        case 2 -> text.appendCodePoint(anyCodePoint(source));
        case 3 -> text.append(source.nextInt(100_000));
        default -> appendPiece(text, WRITTEN.get(source.nextInt(WRITTEN.size())), source);
      }
    }
    return text.toString();
  }

  private static void appendPiece(StringBuilder text, String from, Random source) {
    var points = from.codePoints().toArray();
    if (points.length > 0) {
      var start = source.nextInt(points.length);
      var end = Math.min(points.length, start + source.nextInt(1, 12));
      for (var i = start; i < end; i++) {
        text.appendCodePoint(points[i]);
      }
    }
  }

  private static int anyCodePoint(Random source) {
    var bound = source.nextBoolean() ? 0x3000 : 0x110000;
    var point = source.nextInt(bound);
    return point >= 0xD800 && point <= 0xDFFF ? 0xFFFD : point;
  }

  /** Some 200,000 characters, with and without places to cut. */
  static List<String> veryLong() {
    var mixed = new StringBuilder();
    for (var i = 0; mixed.length() < 200_000; i++) {
      mixed.append(WRITTEN.get(i % WRITTEN.size())).append(i).append(' ');
    }
    return List.of(mixed.toString(), "ab".repeat(100_000), "字".repeat(50_000), " ".repeat(50_000));
  }
}
