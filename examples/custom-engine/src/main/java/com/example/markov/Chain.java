package com.example.markov;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** What follows each run of a few characters of a text, and how often. */
final class Chain {
  private static final int ORDER = 4;

  private final Map<List<Integer>, Map<Integer, Integer>> followers = new HashMap<>();

  Chain(String text) {
    var codePoints = text.codePoints().boxed().toList();
    for (var order = 0; order <= ORDER; order++) {
      for (var i = order; i < codePoints.size(); i++) {
        followers
            .computeIfAbsent(List.copyOf(codePoints.subList(i - order, i)), _ -> new TreeMap<>())
            .merge(codePoints.get(i), 1, Integer::sum);
      }
    }
  }

  /** The likeliest next character, or with a temperature any that followed, as often as it did. */
  int next(List<Integer> before, float temperature, RandomGenerator random) {
    var counts = counts(before);
    if (temperature == 0) {
      return counts.entrySet().stream()
          .max(Map.Entry.comparingByValue())
          .orElseThrow()
          .getKey();
    }
    var weights = new ArrayList<Map.Entry<Integer, Double>>();
    var total = 0.0;
    for (var entry : counts.entrySet()) {
      total += Math.pow(entry.getValue(), 1 / temperature);
      weights.add(Map.entry(entry.getKey(), total));
    }
    var draw = random.nextDouble() * total;
    for (var weight : weights) {
      if (draw < weight.getValue()) {
        return weight.getKey();
      }
    }
    return weights.getLast().getKey();
  }

  /** Those after the longest end of {@code before} that the text knows. */
  private Map<Integer, Integer> counts(List<Integer> before) {
    for (var order = Math.min(ORDER, before.size()); ; order--) {
      var end = before.subList(before.size() - order, before.size());
      var found = followers.get(List.copyOf(end));
      if (found != null) {
        return found;
      }
    }
  }
}
