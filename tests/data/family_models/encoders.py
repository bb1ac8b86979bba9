"""Encoders with positions that are learnt: of BERT's kind, and MPNet."""

from transformers import (AlbertConfig, AlbertModel, BertConfig, BertModel, CamembertConfig, CamembertModel,
                          DistilBertConfig, DistilBertModel, ElectraConfig, ElectraModel, ErnieConfig, ErnieModel,
                          MPNetConfig, MPNetModel, RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel)

from .layout import dense
from .weights import randomize


def bert():
    config = BertConfig(vocab_size=640, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=56, max_position_embeddings=96)
    dense("bert", randomize(BertModel(config), "bert"), "bert", pooling=["cls", "mean"])


def roberta():
    config = RobertaConfig(vocab_size=640, hidden_size=40, num_hidden_layers=3, num_attention_heads=5,
                           intermediate_size=72, max_position_embeddings=100, type_vocab_size=1,
                           pad_token_id=1, bos_token_id=0, eos_token_id=2)
    model = randomize(RobertaModel(config), "roberta")
    dense("roberta", model, "roberta", pooling="cls",
          prompts={"query": "search_query: ", "document": "search_document: "})


def distilbert():
    config = DistilBertConfig(vocab_size=640, dim=32, n_layers=3, n_heads=4, hidden_dim=56,
                              max_position_embeddings=96)
    dense("distilbert", randomize(DistilBertModel(config), "distilbert"), "bert")


def mpnet():
    config = MPNetConfig(vocab_size=640, hidden_size=36, num_hidden_layers=3, num_attention_heads=3,
                         intermediate_size=64, max_position_embeddings=164, relative_attention_num_buckets=32)
    dense("mpnet", randomize(MPNetModel(config), "mpnet"), "mpnet", limit=160)


def electra():
    """Embeddings of another width than the layers, with a product between."""
    config = ElectraConfig(vocab_size=640, embedding_size=24, hidden_size=32, num_hidden_layers=2,
                           num_attention_heads=4, intermediate_size=64, max_position_embeddings=96)
    dense("electra", randomize(ElectraModel(config), "electra"), "bert")


def ernie():
    """As ERNIE 3.0's are: with an embedding of the task, of more types than two."""
    config = ErnieConfig(vocab_size=640, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         intermediate_size=64, max_position_embeddings=96, type_vocab_size=4, use_task_id=True)
    dense("ernie", randomize(ErnieModel(config), "ernie"), "bert")


def albert():
    """Three layers out of two groups of weights, each of which has two inner layers."""
    config = AlbertConfig(vocab_size=640, embedding_size=20, hidden_size=32, num_hidden_layers=3,
                          num_hidden_groups=2, inner_group_num=2, num_attention_heads=4, intermediate_size=56,
                          max_position_embeddings=96)
    dense("albert", randomize(AlbertModel(config), "albert"), "albert", pooling="cls")


def camembert():
    config = CamembertConfig(vocab_size=645, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                             intermediate_size=64, max_position_embeddings=98, type_vocab_size=1, pad_token_id=1,
                             bos_token_id=5, eos_token_id=6, layer_norm_eps=1e-5)
    dense("camembert", randomize(CamembertModel(config), "camembert"), "camembert")


def xlm_roberta():
    config = XLMRobertaConfig(vocab_size=642, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                              intermediate_size=60, max_position_embeddings=130, type_vocab_size=1, pad_token_id=1,
                              bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5)
    dense("xlm_roberta", randomize(XLMRobertaModel(config), "xlm_roberta"), "xlm_roberta",
          prompts={"query": "query: ", "passage": "passage: "})


MAKE = [bert, roberta, xlm_roberta, distilbert, mpnet, electra, ernie, albert, camembert]
