package dev.vllmmlx.gateway.pipeline;

import java.util.HashSet;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Puts a call's reply into the words of one dialect. Made for one call, used on its event loop. It
 * holds no state of the stream but what its own format counts.
 */
public interface ReplyEncoder {

  /** The chunks that open a choice in a stream: the role, the echoed prompt. May be none. */
  List<JsonNode> opening(ChoiceState choice);

  /** A chunk of text. */
  JsonNode delta(ChoiceState choice, ChoiceState.Piece piece);

  /** The chunk that ends a choice, and says why. */
  JsonNode finish(ChoiceState choice);

  /** The chunk after all choices, with what they used. */
  JsonNode usage(Totals totals);

  /** The whole reply in one body. */
  JsonNode body(List<ChoiceState> choices, List<ChoiceState.Piece> pieces, Totals totals);

  /** An error's body. */
  JsonNode error(ApiError error);

  /** What all choices used: each prompt counts once, and once more in each round of tools. */
  record Totals(int promptTokens, int cachedTokens, int completionTokens) {

    public static Totals of(List<ChoiceState> choices) {
      var prompt = 0;
      var cached = 0;
      var completion = 0;
      var counted = new HashSet<Integer>();
      for (var choice : choices) {
        completion += choice.usage().completionTokens();
        if (counted.add(choice.promptIndex())) {
          prompt += choice.firstPrompt().promptTokens();
          cached += choice.firstPrompt().cachedTokens();
        }
        prompt += choice.usage().promptTokens() - choice.firstPrompt().promptTokens();
        cached += choice.usage().cachedTokens() - choice.firstPrompt().cachedTokens();
      }
      return new Totals(prompt, cached, completion);
    }
  }
}
