"""Names that have a meaning elsewhere: in torch, timm, papers, and training scripts.

A name in this list is not treated as a typo, however similar it is to one of archspec's.
"""

from __future__ import annotations

from functools import cache

# Classes of `torch.nn` with a variant per rank: `Conv` is Conv1d, Conv2d, Conv3d.
_RANKED = """
AdaptiveAvgPool AdaptiveMaxPool AvgPool BatchNorm CircularPad ConstantPad Conv ConvTranspose
Dropout FractionalMaxPool InstanceNorm LPPool LazyBatchNorm LazyConv LazyConvTranspose
LazyInstanceNorm MaxPool MaxUnpool ReflectionPad ReplicationPad ZeroPad
"""

_TORCH = """
AdaptiveLogSoftmaxWithLoss AlphaDropout BCELoss BCEWithLogitsLoss Bilinear CELU CTCLoss
ChannelShuffle Container CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss CrossMapLRN2d
DataParallel ELU Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold GELU GLU GRU GRUCell
GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss
Identity KLDivLoss L1Loss LSTM LSTMCell LayerNorm LazyLinear LeakyReLU Linear
LinearCrossEntropyLoss LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss Mish
Module ModuleDict ModuleList MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss
MultiheadAttention NLLLoss NLLLoss2d PReLU PairwiseDistance ParameterDict ParameterList
PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNBase RNNCell RNNCellBase RReLU ReLU
ReLU6 SELU Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin
Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Threshold Transformer
TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer
TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold Upsample UpsamplingBilinear2d
UpsamplingNearest2d
"""

# Parameters of their constructors, and functions of torch on tensors.
_TORCH_WORDS = """
activation affine align_corners alpha approximate batch_first beta bias bidirectional blank
ceil_mode count_include_pad cutoffs delta device dilation dim distance_function div_value
divisor_override downscale_factor dtype elementwise_affine embed_dim embedding_dim end_dim eps
full groups hidden_size ignore_index in_channels in_features inplace input_size kernel_size
keepdim lambd log_input log_target lower margin max_norm max_val max_value min_val min_value
mode negative_slope nhead nonlinearity norm_first norm_type normalized_shape num_channels
num_chunks num_embeddings num_features num_groups num_heads num_layers num_parameters
out_channels out_features output_padding output_ratio output_size padding padding_idx
padding_mode pos_weight proj_size reduce reduction return_indices scale_factor sparse start_dim
stride swap threshold track_running_stats unflattened_size upper upscale_factor value weight
zero_infinity abs cat chunk clamp cos div einsum exp expand interpolate log logsumexp lrn matmul
max maximum mean median min minimum mul narrow normalize pad permute pow prod repeat_interleave
roll rot90 sin sqrt square squeeze stack std sub sum transpose unsqueeze var view
"""

# Names in timm's layer factories, and its layers.
_TIMM = """
gelu_tanh hard_mish quick_gelu swish batchnorm batchnorm1d batchnorm2d evonormb0 evonormb1
evonormb2 evonorms0 evonorms0a evonorms1 evonorms1a evonorms2 evonorms2a evonorm frn frntlu
frozenbatchnorm2d groupnorm groupnorm1 iabn inplaceabn layernorm layernorm2d layernorm2dfp32
layernormfp32 rmsnorm rmsnorm2d rmsnorm2dfp32 rmsnormfp32 simplenorm simplenorm2d
simplenorm2dfp32 simplenormfp32 bat bottleneck cbam ceca coord eca ecam ela ese gc gca ge halo
lambda lcbam nl scoord se sk splat strip swin involution avg avgmax catavgmax fast fastavg
fastavgmax fastcatavgmax avgpool2dsame maxpool2dsame conv2dsame mixedconv2d condconv2d
separableconv2d stdconv2d stdconv2dsame scaledstdconv2d scaledstdconv2dsame conv_bn_act
convbnact conv_norm_act convnormact blurpool blurpool2d blur medianpool2d lseplus2d simpool2d
selectadaptivepool2d dropblock dropblock2d drop_path droppath patch_dropout patch_embed
layer_scale layerscale layerscale2d globalresponsenorm grn mlp glu_mlp gated_mlp conv_mlp swiglu
space_to_depth depth_to_space ml_decoder attention attention2d split_attn split_batchnorm
squeeze_excite effective_se gather_excite global_context non_local selective_kernel coord_attn
halo_attn bottleneck_attn lambda_layer inplace_abn
"""

# Layers of papers and of other frameworks -> torch's class, if it has one.
_PAPERS = """
acon agc aspp asymmetric_conv atrous_conv bn bn2d bi_fpn bsconv carafe
conv_transpose=ConvTranspose2d condconv coord_conv coordconv cross_attention crelu dcn
dconv deconv=ConvTranspose2d deconv2d=ConvTranspose2d deconvolution=ConvTranspose2d
deformable_conv deformconv dense densenet_block dilated_conv dual_path dw_conv dwconv dwise
dynamic_conv dyrelu dynamic_relu erf fc fft focal fpn frelu fused_mbconv gap gated_conv gem
gem_pool generalized_mean gdn ghost ghost_conv gmp=AdaptiveMaxPool2d global_avg_max_pool
global_max_pool=AdaptiveMaxPool2d global_max_pooling=AdaptiveMaxPool2d
globalmaxpool=AdaptiveMaxPool2d globalmaxpool2d=AdaptiveMaxPool2d
globalmaxpooling2d=AdaptiveMaxPool2d gn group_conv grouped_conv gumbel_softmax
hard_tanh=Hardtanh hardelu hardsilu hswish hsigmoid htanh=Hardtanh in_norm
instance_norm=InstanceNorm2d inorm inception isru isrlu l2_pool=LPPool2d l2norm laplacian
lip_pool local_conv locally_connected log_sigmoid=LogSigmoid log_softmax=LogSoftmax lrelu lisht
ln lp_pool=LPPool2d max_blur_pool max_out maxout max_avg_pool maxpooling maxpooling2d
max_unpool=MaxUnpool2d mbconv mha=MultiheadAttention mhsa min_pool mixconv mixed_pool
multihead_attention=MultiheadAttention octave_conv octconv overlap_pool pixel_norm pelu
pixel_shuffle=PixelShuffle pixel_unshuffle=PixelUnshuffle pointwise pointwise_conv pwconv
power_norm ppm pyramid_pool quantize qconv reglu reorg rezero rnn_cell roi_align roi_pool s2d
scse sc_conv self_attention sepconv separable_conv silu_mul sine siren skip smish snake
soft_pool softpool soft_plus=Softplus soft_sign=Softsign spectral_norm spp sppf spatial_dropout
sqrelu square_relu srelu stem_pool stochastic_pool sub_pixel sync_bn=SyncBatchNorm
syncbn=SyncBatchNorm swinblock tanh_exp telu thresholded_relu=Threshold
trans_conv=ConvTranspose2d transconv=ConvTranspose2d transposed_conv=ConvTranspose2d
conv2d_transpose=ConvTranspose2d up_conv=ConvTranspose2d upconv=ConvTranspose2d
upsampling=Upsample upsample2d=Upsample unpool=MaxUnpool2d unpooling=MaxUnpool2d weight_norm
winograd xception zero_padding zeropadding2d averagepooling2d average_pool avg_pooling
max_pooling convolution depthwise depthwiseconv2d depthwise_conv2d fully_connected
globalaveragepooling2d globalavgpool globalavgpool2d global_average_pool global_pool h_swish
h_sigmoid gmlp aff alibi rope rotary pe pos_embed cls cls_token proto resize crop shift
shift_conv gram lrn=LocalResponseNorm cosine triplet
"""

# Keys of training references and programs: torchvision's, timm's, Hugging Face's, Lightning's.
_TRAINING = """
aa acc accelerator accum accumulate_grad_batches adam_beta1 adam_beta2 adam_epsilon amp
amp_dtype amp_impl anneal aug_repeats aug_splits augmentation augs auto_augment auto_lr_find
backend balance batch batch_split bce_loss bce_pos_weight bce_sum bce_target_thresh benchmark
betas bf16 bias_weight_decay bn_eps bn_momentum cache cache_dataset cache_mode callbacks cfg
channels_last checkpoint checkpoint_hist class_map class_weights classes clip_grad clip_mode
clip_norm close_mosaic color_jitter color_jitter_prob config cooldown_epochs copy_paste cos_lr
criterion crop_pct crop_size cutmix cutmix_alpha cutmix_minmax data_dir data_loader data_path
dataloader_num_workers dataset dataset_download dataset_trust_remote_code ddp debug decay_epochs
decay_milestones decay_rate degrees deterministic devices device_modules dist_backend dist_url
distributed dist_bn do_eval do_train drop drop_block drop_block_rate drop_connect drop_last
drop_path_rate drop_rate early_stop early_stopping_patience ema ema_decay epoch_repeats
eta_min eval eval_batch_size eval_metric eval_steps evaluation_strategy experiment fast_norm
fine_tune fliplr flipud fold folder fp16 freeze fraction fuser gamma gpu gpus grad_accum
grad_accum_steps grad_checkpointing grad_clip gradient_accumulation_steps gradient_checkpointing
gradient_clip_val gaussian_blur_prob grayscale_prob group_by_length head_init_bias
head_init_scale hflip hsv_h hsv_s hsv_v huber imgsz image_size img_size in_chans
initial_checkpoint initial_lr input_key input_size interpolation iters jsd_loss k_decay
label_smoothing_factor labels layer_decay learning_rate load_best_model_at_end local_rank
log_every log_freq log_interval log_steps log_wandb logger logging_steps loss_fn loss_type
lr_base lr_base_scale lr_base_size lr_cycle_decay lr_cycle_limit lr_cycle_mul lr_decay lr_drop
lr_gamma lr_k_decay lr_min lr_milestones lr_noise lr_noise_pct lr_noise_std lr_policy lr_power
lr_schedule lr_scheduler lr_scheduler_type lr_step_size lr_steps lr_warmup_decay
lr_warmup_epochs lr_warmup_method lrf lr0 max_epochs max_grad_norm max_iter max_lr max_norm
max_steps maxlr metric metrics metric_for_best_model milestones min_lr minlr mixup_alpha
mixup_mode mixup_off_epoch mixup_prob mixup_switch_prob model model_dtype model_ema
model_ema_cpu model_ema_decay model_ema_force_cpu model_ema_steps model_ema_warmup model_kwargs
mosaic naflex_loader nbs nesterov_momentum no_aug no_amp no_prefetcher norm_weight_decay
num_classes num_epochs num_nodes num_steps num_train_epochs num_workers opt opt_betas opt_eps
opt_kwargs optim optimizer_name output output_dir overlap_mask overwrite_output_dir params
patience patience_epochs per_device_eval_batch_size per_device_train_batch_size
persistent_workers perspective pin_mem pin_memory plateau plot plots policy power pretrained
pretrained_path print_freq profile project progress_bar ra_magnitude ra_reps ra_sampler
random_erase random_erase_prob random_erasing rank ratio recount recovery_interval rect remode
remove_unused_columns repeat_aug report_to reprob reset_classifier resplit resume
resume_from_checkpoint rotate run_name sampler save save_dir save_interval save_images
save_period save_steps save_strategy save_total_limit scale sched sched_on_updates scheduler
scheduler_type seed_everything shear shuffle single_cls smoothing split split_bn start_epoch
step_size steps steps_per_epoch strategy sync_batchnorm sync_bn tags target_key tb tensorboard
test test_only test_split threads time total_steps torchcompile torchscript train
train_batch_size train_center_crop train_crop_mode train_crop_size train_interpolation
train_num_samples train_split trainer translate transforms transforms_v2 trivial_augment tta
turbo use_amp use_ema use_deterministic_algorithms use_multi_epochs_loader use_v2 val
val_batch_size val_check_interval val_crop_size val_interval val_num_samples val_resize_size
val_split validation_batch_size vflip vflip_prob wandb wandb_project warmup_bias_lr
warmup_epochs warmup_iters warmup_lr warmup_lr_init warmup_momentum warmup_prefix warmup_ratio
warmup_steps warm_up wd weights weights_backbone weight_init workers worker_seeding work_dir
world_size
"""


def plain(word: str) -> str:
    """The word without differences that are only spelling: case, `_`, and `-`."""
    return word.lower().replace("_", "").replace("-", "")


def known(word: str) -> str | None:
    """The origin of a name, such as `torch.nn.PReLU` or "timm"; None if it is unknown."""
    return _table().get(plain(word))


@cache
def words() -> tuple[str, ...]:
    """Every known name, in lower case."""
    return tuple(_table())


@cache
def _table() -> dict[str, str]:
    """A name in the form of `plain` -> where it is from; the first of two counts."""
    table: dict[str, str] = {}
    for name in _TORCH.split():
        table.setdefault(plain(name), f"torch.nn.{name}")
    for name in _RANKED.split():
        for rank in ("2d", "1d", "3d"):
            table.setdefault(plain(name + rank), f"torch.nn.{name}{rank}")
        table.setdefault(plain(name), f"torch.nn.{name}2d")
    for entry in _PAPERS.split():
        name, _, torch = entry.partition("=")
        table.setdefault(plain(name), f"torch.nn.{torch}" if torch else "")
    table |= {plain(name): "timm" for name in _TIMM.split() if not table.get(plain(name))}
    for name in (*_TORCH_WORDS.split(), *_TRAINING.split()):
        table.setdefault(plain(name), "")
    return table
