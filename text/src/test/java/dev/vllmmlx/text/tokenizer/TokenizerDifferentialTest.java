package dev.vllmmlx.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One tokenizer of each kind, against Python's library: same ids, same text. */
class TokenizerDifferentialTest {
  private static PythonTokenizers python;

  @BeforeAll
  static void startPython() throws IOException, InterruptedException {
    python = new PythonTokenizers();
  }

  @AfterAll
  static void endPython() throws IOException, InterruptedException {
    python.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gpt2",
        "llama3",
        "qwen2",
        "deepseek",
        "llama2",
        "mistral",
        "gemma",
        "metaspace",
        "unigram",
        "wordpiece",
        "suffix",
        "wordlevel"
      })
  void givesPythonsIdsAndText(String name) {
    var folder = TestTokenizers.folder(name);
    var tokenizer = Tokenizer.fromFolder(folder);
    assertThat(tokenizer.vocabularySize()).isEqualTo(python.load(folder.resolve("tokenizer.json")));
    var texts = Texts.all(400, 7);
    sameIds(python, tokenizer, texts);
    // transformers does this after tokenizers has decoded; unigram's configuration asks for it.
    var cleaned = name.equals("unigram");
    sameText(python, tokenizer, idLists(tokenizer, texts), cleaned);
  }

  static void sameIds(PythonTokenizers python, Tokenizer tokenizer, List<String> texts) {
    for (var special : new boolean[] {false, true}) {
      var expected = python.encode(texts, special);
      for (var i = 0; i < texts.size(); i++) {
        assertThat(tokenizer.encode(texts.get(i), special))
            .as(texts.get(i))
            .isEqualTo(expected.get(i));
      }
    }
  }

  static void sameText(
      PythonTokenizers python, Tokenizer tokenizer, List<int[]> lists, boolean cleaned) {
    for (var skip : new boolean[] {false, true}) {
      var expected = python.decode(lists, skip);
      for (var i = 0; i < lists.size(); i++) {
        var text = expected.get(i);
        text = cleaned ? SpaceCleanup.WHOLE_TEXT.clean(text) : text;
        assertThat(tokenizer.decode(lists.get(i), skip)).as("%s", lists.get(i)).isEqualTo(text);
        assertThat(streamed(tokenizer, lists.get(i), skip)).isEqualTo(text);
      }
    }
  }

  /** What real texts encode to, parts of that, and ids at random, some of them of no token. */
  static List<int[]> idLists(Tokenizer tokenizer, List<String> texts) {
    var source = new Random(11);
    var lists = new ArrayList<int[]>();
    for (var text : texts) {
      var ids = tokenizer.encode(text, source.nextBoolean());
      lists.add(ids);
      var from = source.nextInt(ids.length + 1);
      lists.add(java.util.Arrays.copyOfRange(ids, from, source.nextInt(from, ids.length + 1)));
      lists.add(source.ints(source.nextInt(30), 0, tokenizer.vocabularySize() + 3).toArray());
      // Most byte tokens are among the first: broken characters of every kind.
      lists.add(
          source.ints(source.nextInt(12), 0, Math.min(300, tokenizer.vocabularySize())).toArray());
    }
    return lists;
  }

  private static String streamed(Tokenizer tokenizer, int[] ids, boolean skip) {
    var stream = tokenizer.detokenizer(skip);
    var text = new StringBuilder();
    for (var id : ids) {
      var delta = stream.feed(id);
      assertThat(delta.isEmpty() || !Character.isHighSurrogate(delta.charAt(delta.length() - 1)))
          .isTrue();
      text.append(delta);
    }
    return text.append(stream.finish()).toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3", "llama2", "unigram"})
  void givesPythonsIdsForVeryLongText(String name) {
    var folder = TestTokenizers.folder(name);
    python.load(folder.resolve("tokenizer.json"));
    sameIds(python, Tokenizer.fromFolder(folder), Texts.veryLong());
  }
}
