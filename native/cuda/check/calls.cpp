#include "cuda/check/calls.h"

#include <cmath>

namespace lethe::check {
namespace {

using Values = std::map<std::string, double>;

std::function<Ints(Random&)> ids_below(int count, int high) {
  return [=](Random& random) {
    Ints ids;
    for (int i = 0; i < count; ++i) ids.push_back(random.below(high));
    return ids;
  };
}

// Both precisions of a call.
void both(std::vector<RandomCall>& list, RandomCall call) {
  for (const bool bf16 : {false, true}) {
    call.bf16 = bf16;
    list.push_back(call);
  }
}

void add_norms(std::vector<RandomCall>& list, bool small) {
  std::vector<std::pair<int, int>> shapes = {{1, 8}, {3, 7}, {41, 64}, {5, 1000}, {9, 2048}, {3, 4104}, {2, 8200}};
  if (!small) shapes.insert(shapes.end(), {{4096, 2048}, {300, 8192}, {17, 16384}});
  for (const auto& [N, D] : shapes) {
    const Values values{{"N", N}, {"D", D}, {"epsilon", 1e-5}};
    both(list, {.op = "rms_norm", .values = values, .slack = 4});
    both(list, {.op = "rms_norm", .values = values, .omitted = {"residual", "sum"}, .outlier = "x", .slack = 4});
    RandomCall backward{.op = "rms_norm_backward", .values = {{"N", N}, {"D", D}}, .by_tensor = true, .slack = 8};
    // rstd belongs to x.
    backward.prepare = [](const RandomCall& call, Tensors& floats, std::map<std::string, Ints>&) {
      const auto width = static_cast<size_t>(call.values.at("D"));
      for (size_t n = 0; n < floats["rstd"].size(); ++n) {
        double squares = 0;
        for (size_t d = 0; d < width; ++d) squares += std::pow(floats["x"][n * width + d], 2);
        floats["rstd"][n] = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(width) + 1e-5));
      }
    };
    both(list, backward);
    backward.omitted = {"dsum", "dweight"};
    both(list, backward);
  }
}

void add_products(std::vector<RandomCall>& list, bool small) {
  struct Shape {
    int N, I, O;
  };
  std::vector<Shape> shapes = {{1, 1, 1}, {5, 7, 3}, {41, 64, 40}, {64, 33, 129}};
  if (!small) shapes.insert(shapes.end(), {{512, 2048, 1000}, {300, 5504, 256}});
  for (const auto& [N, I, O] : shapes) {
    const Values values{{"N", N}, {"I", I}, {"O", O}};
    both(list, {.op = "linear", .values = values, .slack = 4});
    both(list, {.op = "linear", .values = values, .omitted = {"bias"}, .outlier = "x", .slack = 4});
    for (const int accumulate : {0, 1}) {
      Values more = values;
      more["accumulate_dx"] = accumulate;
      RandomCall backward{.op = "linear_backward", .values = more, .slack = 4};
      // What is added to must be numbers.
      backward.prepare = [accumulate](const RandomCall&, Tensors& floats, std::map<std::string, Ints>&) {
        if (accumulate)
          for (size_t i = 0; i < floats["dx"].size(); ++i) floats["dx"][i] = static_cast<float>(std::sin(double(i)));
      };
      both(list, backward);
    }
  }
  for (const int transposed : {0, 1})
    list.push_back({.op = "matmul",
                    .values = {{"P", 6},
                               {"A", 3},
                               {"B", 2},
                               {"M", 33},
                               {"N", 17},
                               {"K", 40},
                               {"transpose_a", transposed},
                               {"transpose_b", 1 - transposed}},
                    .slack = 4});
}

void add_attention(std::vector<RandomCall>& list, bool small) {
  struct Shape {
    int B, T, S, H, K, D;
  };
  std::vector<Shape> shapes = {{1, 1, 1, 1, 1, 8},     {2, 41, 41, 2, 2, 64}, {1, 130, 200, 4, 2, 128},
                               {1, 33, 33, 2, 1, 80},  {1, 1, 77, 4, 2, 16},  {1, 70, 70, 3, 1, 20},
                               {1, 150, 150, 1, 1, 32}};
  if (!small)
    shapes.insert(shapes.end(), {{2, 1024, 1024, 8, 2, 64}, {1, 700, 1500, 4, 4, 128}, {1, 200, 200, 2, 2, 256}});
  for (const Shape& s : shapes)
    for (const char* mask : {"causal", "documents", "window", "holes"}) {
      const std::string kind = mask;
      const auto range = [s, kind](bool is_last) {
        return [=](Random&) {
          Ints rows;
          for (int b = 0; b < s.B; ++b)
            for (int t = 0; t < s.T; ++t) {
              const int end = std::min(s.S - 1, t + s.S - s.T);
              const bool hole = kind == "holes" && t % 3 == 1;
              const int first = kind == "documents" ? end / 45 * 45
                                : kind == "window"  ? std::max(0, end - 37)
                                : hole              ? 1
                                                    : 0;
              rows.push_back(is_last ? (hole ? 0 : end) : first);
            }
          return rows;
        };
      };
      const Values values{
          {"B", s.B}, {"T", s.T}, {"S", s.S}, {"H", s.H}, {"K", s.K}, {"D", s.D}, {"scale", 1 / std::sqrt(s.D)}};
      both(list,
           {.op = "attention", .values = values, .ids = {{"first", range(false)}, {"last", range(true)}}, .slack = 4});
      RandomCall backward{.op = "attention_backward",
                          .values = values,
                          .ids = {{"first", range(false)}, {"last", range(true)}},
                          .by_tensor = true,
                          .slack = 4};
      backward.prepare = [](const RandomCall& call, Tensors& floats, std::map<std::string, Ints>& ids) {
        RandomCall forward = call;
        forward.op = "attention";
        const auto results = static_cast<size_t>(call.values.at("B") * call.values.at("T") * call.values.at("H"));
        const Tensors inputs{{"q", floats["q"]},
                             {"k", floats["k"]},
                             {"v", floats["v"]},
                             {"y", Floats(floats["q"].size())},
                             {"lse", Floats(results)}};
        const Tensors outputs = run(forward, reference_device(), 0, inputs, ids);
        floats["y"] = outputs.at("y");
        floats["lse"] = outputs.at("lse");
      };
      both(list, backward);
    }
}

void add_elementwise(std::vector<RandomCall>& list, bool small) {
  const int most = small ? 3000 : 300000;
  for (const int N : {1, 9, 1000, most}) {
    both(list, {.op = "swiglu", .values = {{"N", 1}, {"F", N}}, .outlier = "gate", .slack = 8});
    both(list, {.op = "swiglu_backward", .values = {{"N", 1}, {"F", N}}, .outlier = "gate", .slack = 8});
    RandomCall step{.op = "adamw",
                    .values = {{"N", N},
                               {"lr", 5e-5},
                               {"beta1", 0.9},
                               {"beta2", 0.95},
                               {"epsilon", 1e-8},
                               {"weight_decay", 0.1},
                               {"grad_scale", 0.5},
                               {"step", 3}},
                    .slack = 4};
    step.prepare = [](const RandomCall&, Tensors& floats, std::map<std::string, Ints>&) {
      for (float& x : floats["v"]) x *= x;
    };
    list.push_back(step);
    list.push_back({.op = "global_norm", .values = {{"N", N}}, .slack = 8});
    list.push_back({.op = "fill", .values = {{"N", N}, {"value", 0.25}}});
    for (int kind = 0; kind <= 5; ++kind) {
      both(list, {.op = "binary",
                  .values = {{"N", N}, {"A", N}, {"B", N}, {"a_repeat", 1}, {"b_repeat", 1}, {"kind", kind}},
                  .slack = 2});
      both(list, {.op = "binary",
                  .values = {{"N", N}, {"A", 1}, {"B", 7}, {"a_repeat", 3}, {"b_repeat", 2}, {"kind", kind}},
                  .slack = 2});
    }
    for (int kind = 0; kind <= 12; ++kind) {
      RandomCall unary{.op = "unary", .values = {{"N", N}, {"kind", kind}}, .slack = 16};
      unary.prepare = [kind](const RandomCall&, Tensors& floats, std::map<std::string, Ints>&) {
        for (float& x : floats["x"])
          if (kind >= 3 && kind <= 6) x = std::fabs(x) + 0.1F;
      };
      list.push_back(unary);
    }
  }
  for (int kind = 0; kind <= 2; ++kind)
    for (const auto& [O, D, I] :
         {std::array{3, 700, 1}, std::array{1, 5, 40}, std::array{70, 9, 2}, std::array{2, 100, 33}})
      list.push_back({.op = "reduce", .values = {{"O", O}, {"D", D}, {"I", I}, {"kind", kind}}, .slack = 64});
  for (const auto& [H, R] : {std::pair{2, 4}, std::pair{3, 32}, std::pair{1, 5}})
    for (const int inverse : {0, 1})
      both(list, {.op = "rope",
                  .values = {{"N", 50}, {"H", H}, {"R", R}, {"P", 64}, {"inverse", inverse}},
                  .ids = {{"positions", ids_below(50, 64)}},
                  .slack = 4});
}

void add_embedding(std::vector<RandomCall>& list, bool small) {
  const int N = small ? 300 : 5000;
  for (const auto& [V, D] : {std::pair{3, 7}, std::pair{1000, 64}, std::pair{50, 2056}}) {
    const Values values{{"N", N}, {"V", V}, {"D", D}};
    both(list, {.op = "embedding", .values = values, .ids = {{"ids", ids_below(N, V)}}});
    both(list, {.op = "embedding_backward", .values = values, .ids = {{"ids", ids_below(N, V)}}, .slack = 32});
  }
}

struct HeadShape {
  int N, V, D;
};

// Of ops.h: complement, ga, satimp, min-prob, unlikelihood-clamped.
struct HeadMethod {
  int method;
  double beta1, beta2;
};
constexpr HeadMethod head_methods[] = {{0, 0, 0}, {1, 0, 0}, {1, 5, 1}, {2, 0, 0}, {3, 0, 0}};

RandomCall head_call(const HeadShape& s, const HeadMethod& m) {
  return {.op = "unlearn_head",
          .values = {{"N", s.N},
                     {"M", s.N / 3},
                     {"D", s.D},
                     {"V", s.V},
                     {"num_forget", s.N / 2},
                     {"method", m.method},
                     {"beta1", m.beta1},
                     {"beta2", m.beta2},
                     {"scale_forgetting", 0.01},
                     {"scale_replay", 1},
                     {"scale_mitigation", 1}},
          .ids = {{"targets",
                   [s](Random& random) {
                     Ints targets;
                     for (int n = 0; n < s.N; ++n) targets.push_back(n % 7 == 3 ? -1 : random.below(s.V));
                     return targets;
                   }}},
          .sizes = {{"weight", 1 / std::sqrt(s.D)}, {"original_weight", 1 / std::sqrt(s.D)}}};
}

// Logits: ordinary, with x20 outliers, p -> 1 and p -> 0.
void add_head(std::vector<RandomCall>& list, bool small) {
  std::vector<HeadShape> shapes = {{1, 2, 4}, {41, 7, 8}, {41, 8, 16}, {41, 507, 16}};
  if (!small)
    shapes.insert(shapes.end(), {{256, 2, 8}, {256, 32000, 64}, {41, 64000, 64}, {33, 128256, 64}, {7, 300000, 16}});
  for (const HeadShape& s : shapes)
    for (const char* kind : {"ordinary", "outliers", "confident", "hopeless"})
      for (const HeadMethod& method : head_methods) {
        if (s.V > 507 && &method > &head_methods[1]) continue;  // the same pass over the logits
        RandomCall call = head_call(s, method);
        call.outlier = std::string(kind) == "outliers" ? "hidden" : "";
        call.slack = std::string(kind) == "ordinary" ? 2.0 : 16.0;
        const double push = std::string(kind) == "confident" ? 40 : std::string(kind) == "hopeless" ? -40 : 0;
        if (push != 0)
          call.prepare = [push](const RandomCall& c, Tensors& floats, std::map<std::string, Ints>& ids) {
            const auto D = static_cast<size_t>(c.values.at("D"));
            for (size_t n = 0; n < ids["targets"].size(); ++n)
              for (size_t d = 0; d < D && ids["targets"][n] >= 0; ++d)
                floats["hidden"][n * D + d] =
                    static_cast<float>(push) * floats["weight"][static_cast<size_t>(ids["targets"][n]) * D + d];
          };
        both(list, call);
      }
}

}  // namespace

std::vector<RandomCall> half_logit_calls(bool small) {
  std::vector<HeadShape> shapes = {{41, 507, 40}, {20, 130, 64}, {9, 7, 5}};
  // Rows over clusters of 2, 4, 8 and 16 blocks, and one that no cluster holds.
  if (!small)
    shapes.insert(shapes.end(),
                  {{200, 32000, 64}, {41, 64000, 64}, {33, 128256, 64}, {9, 200003, 16}, {7, 300000, 16}});
  std::vector<RandomCall> list;
  for (const HeadShape& s : shapes)
    for (const HeadMethod& method : {head_methods[0], head_methods[1]}) {
      RandomCall call = head_call(s, method);
      call.bf16 = true;
      call.by_norm = 4e-3;
      call.sizes["dweight"] = 0;  // or what was there would hide what is added
      list.push_back(call);
    }
  return list;
}

std::vector<RandomCall> calls(bool small) {
  std::vector<RandomCall> list;
  add_elementwise(list, small);
  add_norms(list, small);
  add_embedding(list, small);
  add_products(list, small);
  add_attention(list, small);
  add_head(list, small);
  return list;
}

}  // namespace lethe::check
