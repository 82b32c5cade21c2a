// The installer's questions by what an answer to them means here. From the templates of Debian 13's installer;
// those a reader honours are not listed.

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** The answer only keeps the installer from stopping to ask or to tell. Nothing stops here. */
export const confirmations: ReadonlySet<string> = words(`
  anna/install_failed anna/no_kernel_modules apt-setup/cdrom/failed apt-setup/cdrom/set-double
  apt-setup/cdrom/set-failed apt-setup/cdrom/set-first apt-setup/cdrom/set-next
  apt-setup/disable-cdrom-entries apt-setup/local/key-error apt-setup/mirror/error apt-setup/service-failed
  base-installer/cannot_install base-installer/debootstrap-failed base-installer/debootstrap/error-abnormal
  base-installer/debootstrap/error-exitcode base-installer/debootstrap/error/couldntdl
  base-installer/debootstrap/error/invalidrel base-installer/debootstrap/error/missingrelentry
  base-installer/debootstrap/error/nogetrel base-installer/debootstrap/error/nogetrelsig
  base-installer/debootstrap/error/unknownrelsig base-installer/debootstrap/fallback-error
  base-installer/debootstrap/fallback-warning base-installer/initramfs/unsupported
  base-installer/kernel/failed-install base-installer/kernel/failed-package-install
  base-installer/kernel/no-kernels-found base-installer/no_codename base-installer/no_target_mounted
  base-installer/unclean_target_cancel base-installer/use_unclean_target cdrom-checker/askmount
  cdrom-checker/firstcd cdrom-checker/md5file_failed cdrom-checker/mismatch cdrom-checker/mntfailed
  cdrom-checker/nextcd cdrom-checker/passed cdrom-checker/start cdrom-checker/wrongcd
  cdrom-detect/cdrom_device cdrom-detect/cdrom_fs cdrom-detect/cdrom_module cdrom-detect/eject
  cdrom-detect/hybrid cdrom-detect/load_media cdrom-detect/manual_config cdrom-detect/no-release
  cdrom-detect/retry cdrom-detect/success cdrom-detect/unetbootin_detected cdrom-detect/usb-hdd
  cdrom-detect/wrong-cd clock-setup/hwclock-wait debian-installer/exit/always_halt debian-installer/exit/halt
  debian-installer/exit/poweroff debian-installer/main-menu/item-failure
  debian-installer/terminal-plugin-unavailable di-utils-reboot/really_reboot di-utils-shell/do-shell
  disk-detect/cannot_find disk-detect/module_select ethdetect/cannot_find ethdetect/module_select
  ethdetect/prompt_missing_firmware ethdetect/use_firewire_ethernet finish-install/keep-consoles
  finish-install/reboot_in_progress grub-installer/apt-install-failed grub-installer/force-efi-extra-removable
  grub-installer/grub-install-failed grub-installer/grub_not_mature_on_this_platform
  grub-installer/make_active grub-installer/mounterr grub-installer/only_debian
  grub-installer/password-mismatch grub-installer/update-grub-failed grub-installer/update-nvram
  grub-installer/with_other_os hw-detect/firmware-lookup hw-detect/modprobe_error iso-scan/ask_right_iso
  iso-scan/ask_second_pass iso-scan/ask_which_iso iso-scan/bad-isos iso-scan/copy_iso_to_ram iso-scan/no-isos
  iso-scan/other-isos iso-scan/success keyboard-configuration/unsupported_config_layout
  keyboard-configuration/unsupported_config_options keyboard-configuration/unsupported_layout
  keyboard-configuration/unsupported_options localechooser/continentlist localechooser/countrylist/Africa
  localechooser/countrylist/Antarctica localechooser/countrylist/Asia localechooser/countrylist/Atlantic_Ocean
  localechooser/countrylist/Caribbean localechooser/countrylist/Central_America
  localechooser/countrylist/Europe localechooser/countrylist/Indian_Ocean
  localechooser/countrylist/North_America localechooser/countrylist/Oceania
  localechooser/countrylist/South_America localechooser/help/locale localechooser/languagelist
  localechooser/preferred-locale localechooser/shortlist/ar localechooser/shortlist/bn
  localechooser/shortlist/bo localechooser/shortlist/ca localechooser/shortlist/de localechooser/shortlist/el
  localechooser/shortlist/en localechooser/shortlist/es localechooser/shortlist/eu localechooser/shortlist/fr
  localechooser/shortlist/it localechooser/shortlist/nl localechooser/shortlist/pa localechooser/shortlist/pt
  localechooser/shortlist/pt_BR localechooser/shortlist/ru localechooser/shortlist/sq
  localechooser/shortlist/sr localechooser/shortlist/sv localechooser/shortlist/ta localechooser/shortlist/tr
  localechooser/shortlist/zh_CN localechooser/shortlist/zh_TW localechooser/translation/no-select
  localechooser/translation/none-yet localechooser/translation/warn-light
  localechooser/translation/warn-severe lowmem/insufficient lowmem/low mirror/bad mirror/country
  mirror/http/countries mirror/https/countries mirror/no-default mirror/noarch netcfg/bad_ipaddress
  netcfg/bad_link_wait_timeout netcfg/choose_interface netcfg/confirm_static netcfg/dhcp_failed
  netcfg/dhcp_options netcfg/error netcfg/gateway_unreachable netcfg/invalid_essid netcfg/invalid_hostname
  netcfg/invalid_pass netcfg/invalid_wep netcfg/kill_switch_enabled netcfg/no_default_route
  netcfg/no_dhcp_client netcfg/no_interfaces netcfg/no_ipv6_pointopoint netcfg/use_autoconfig
  netcfg/wireless_wep netcfg/wpa_supplicant_failed network-console/authorized_keys_fetch_failure
  network-console/password-empty network-console/password-mismatch nobootloader/confirmation_common
  nobootloader/confirmation_powerpc_chrp_pegasos nobootloader/confirmation_powerpc_pasemi
  nobootloader/mounterr partman-auto-lvm/bad_guided_size partman-auto-lvm/big_guided_size
  partman-auto-lvm/new_vg_name_exists partman-auto-lvm/no_pv_in_vg partman-auto-lvm/no_such_pv
  partman-auto-lvm/small_guided_size partman-auto-lvm/unusable_recipe partman-auto-lvm/vg_create_error
  partman-auto-lvm/vg_exists partman-auto-raid/error partman-auto-raid/notenoughparts
  partman-auto/automatically_partition partman-auto/autopartitioning_failed partman-auto/help
  partman-auto/init_automatically_partition partman-auto/no_recipe partman-auto/select_disk
  partman-auto/unusable_space partman-base/devicelocked partman-base/partlocked
  partman-basicfilesystems/bad_mountpoint partman-basicfilesystems/boot_not_ext2
  partman-basicfilesystems/boot_not_first_partition partman-basicfilesystems/check_failed
  partman-basicfilesystems/choose_label partman-basicfilesystems/create_failed
  partman-basicfilesystems/create_swap_failed partman-basicfilesystems/fat_mountpoint
  partman-basicfilesystems/mountoptions partman-basicfilesystems/mountpoint
  partman-basicfilesystems/mountpoint_manual partman-basicfilesystems/no_mount_point
  partman-basicfilesystems/no_swap partman-basicfilesystems/posix_filesystem_required
  partman-basicfilesystems/specify_reserved partman-basicfilesystems/specify_usage
  partman-basicfilesystems/swap_check_failed partman-basicmethods/method_only partman-btrfs/btrfs_boot
  partman-btrfs/btrfs_root partman-crypto/commit_failed partman-crypto/confirm
  partman-crypto/confirm_nochanges partman-crypto/confirm_nooverwrite partman-crypto/create/nosel
  partman-crypto/crypto_boot_not_possible partman-crypto/crypto_erase_failed
  partman-crypto/crypto_root_needs_boot partman-crypto/crypto_warn_erase partman-crypto/init_failed
  partman-crypto/install_udebs_failure partman-crypto/keyfile-problem partman-crypto/module_package_missing
  partman-crypto/opal-admin-password partman-crypto/opal-admin-password-again
  partman-crypto/opal-admin-password-empty partman-crypto/opal-admin-password-mismatch
  partman-crypto/opal-psid-again partman-crypto/opal-psid-empty partman-crypto/opal-psid-mismatch
  partman-crypto/options_missing partman-crypto/passphrase-again partman-crypto/passphrase-empty
  partman-crypto/passphrase-mismatch partman-crypto/plain_erase_failed partman-crypto/plain_warn_erase
  partman-crypto/unsafe_swap partman-crypto/weak_passphrase partman-efi/no_efi partman-efi/non_efi_system
  partman-efi/too_small_efi partman-ext3/bad_alignment partman-ext3/boot_not_bootable
  partman-ext3/boot_not_ext2_or_ext3 partman-iscsi/login/empty_password partman-iscsi/login/failed
  partman-iscsi/login/no_targets partman-lvm/badnamegiven partman-lvm/commit_failed partman-lvm/confirm
  partman-lvm/confirm_nochanges partman-lvm/confirm_nooverwrite partman-lvm/device_remove_lvm
  partman-lvm/device_remove_lvm_span partman-lvm/displayall partman-lvm/help partman-lvm/lvcreate_error
  partman-lvm/lvcreate_exists partman-lvm/lvcreate_nofreevg partman-lvm/lvcreate_nonamegiven
  partman-lvm/lvcreate_vgnames partman-lvm/lvdelete_error partman-lvm/lvdelete_lvnames
  partman-lvm/lvdelete_nolv partman-lvm/mainmenu partman-lvm/nolvm partman-lvm/nopartitions
  partman-lvm/pvcreate_error partman-lvm/vgcreate_devnameused partman-lvm/vgcreate_error
  partman-lvm/vgcreate_nameused partman-lvm/vgcreate_nonamegiven partman-lvm/vgcreate_nosel
  partman-lvm/vgdelete_confirm partman-lvm/vgdelete_error partman-lvm/vgdelete_names partman-lvm/vgdelete_novg
  partman-lvm/vgextend_error partman-lvm/vgextend_names partman-lvm/vgextend_nosel partman-lvm/vgextend_novg
  partman-lvm/vgextend_parts partman-lvm/vgreduce_error partman-lvm/vgreduce_names partman-lvm/vgreduce_nosel
  partman-lvm/vgreduce_novg partman-lvm/vgreduce_parts partman-md/commit_failed partman-md/confirm
  partman-md/confirm_nochanges partman-md/confirm_nooverwrite partman-md/createmain partman-md/delete_no_md
  partman-md/deletefailed partman-md/deletemenu partman-md/deleteverify partman-md/device_remove_md
  partman-md/mainmenu partman-md/nomd partman-md/noparts partman-md/notenoughparts partman-md/raid0devs
  partman-md/raid10layout partman-md/raiddevcount partman-md/raiddevs partman-md/raidsparecount
  partman-md/raidsparedevs partman-partitioning/bad_new_partition_size partman-partitioning/bad_new_size
  partman-partitioning/big_new_size partman-partitioning/bootable_logical
  partman-partitioning/confirm_new_label partman-partitioning/confirm_resize
  partman-partitioning/confirm_write_new_label partman-partitioning/impossible_resize
  partman-partitioning/new_partition_place partman-partitioning/new_partition_size
  partman-partitioning/new_partition_type partman-partitioning/new_size
  partman-partitioning/new_size_commit_failed partman-partitioning/set_flags partman-partitioning/set_name
  partman-partitioning/small_new_size partman-partitioning/unknown_label
  partman-partitioning/unsupported_label partman-target/choose_method partman-target/help
  partman-target/mount_failed partman-target/must_be_on_root partman-target/no_root partman-target/same_label
  partman-target/same_mountpoint partman/active_partition partman/boot_not_first_partition
  partman/choose_partition partman/confirm partman/confirm_nochanges partman/confirm_nooverwrite
  partman/exception_handler partman/exception_handler_note partman/free_space partman/show_free_chs
  partman/show_partition_chs partman/storage_device passwd/username-bad passwd/username-reserved
  preseed/checksum_error preseed/command_failed preseed/load_error preseed/retrieve_error rescue/menu-error
  rescue/mount-failed rescue/no-such-device rescue/shell/not-found rescue/shell/run-failed
  retriever/cdrom/error retriever/media/loadanother retriever/media/loadnow retriever/media/unknown
  retriever/net/error save-logs/bad_directory save-logs/directory save-logs/floppy_mount_failed
  save-logs/httpd_running save-logs/insert_floppy save-logs/menu save-logs/no_network shared/ask_device
  shared/enter_device tzsetup/country/AQ tzsetup/country/AU tzsetup/country/BR tzsetup/country/CA
  tzsetup/country/CD tzsetup/country/CL tzsetup/country/CY tzsetup/country/EC tzsetup/country/ES
  tzsetup/country/FM tzsetup/country/GL tzsetup/country/ID tzsetup/country/KI tzsetup/country/KZ
  tzsetup/country/MN tzsetup/country/MX tzsetup/country/NZ tzsetup/country/PF tzsetup/country/PG
  tzsetup/country/PT tzsetup/country/RU tzsetup/country/UM tzsetup/country/US user-setup/password-empty
  user-setup/password-mismatch
`)

/** The answer steers the installer itself or its hardware; nothing of it would reach the image. */
export const installerOnly: ReadonlySet<string> = words(`
  anna/choose_modules anna/choose_modules_lowmem anna/retriever anna/standard_modules
  auto-install/cloak_initrd_preseed auto-install/defaultroot auto-install/enable
  base-installer/kernel/linux/extra-packages-2.6 base-installer/kernel/linux/initrd
  base-installer/kernel/linux/initrd-2.6 cdrom/codename cdrom/suite clock-setup/ntp clock-setup/ntp-server
  clock-setup/system-time-changed debconf/frontend debconf/language debconf/priority debconf/showold
  debconf/translations-dropped debian-installer/allow_unauthenticated
  debian-installer/allow_unauthenticated_ssl debian-installer/consoledisplay debian-installer/dummy
  debian-installer/framebuffer debian-installer/keymap debian-installer/main-menu
  debian-installer/missing-provide debian-installer/shell-plugin debian-installer/theme
  disk-detect/multipath/enable driver-injection-disk/load espeakup/card espeakup/voice hw-detect/load-ide
  hw-detect/load_firmware hw-detect/load_media hw-detect/pcmcia_resources hw-detect/retry_params
  hw-detect/select_modules hw-detect/start_pcmcia keyboard-configuration/store_defaults_in_debconf_db
  live-installer/enable live-installer/mode mirror/ftp/directory mirror/ftp/hostname mirror/ftp/proxy
  mirror/udeb/suite netcfg/dhcp_hostname netcfg/dhcp_timeout netcfg/dhcpv6_timeout netcfg/link_wait_timeout
  netcfg/wireless_adhoc_managed netcfg/wireless_essid netcfg/wireless_essid_again
  netcfg/wireless_security_type netcfg/wireless_show_essids netcfg/wireless_wpa
  network-console/authorized_keys_url network-console/login network-console/password
  network-console/password-again network-console/start partman-auto-crypto/erase_disks
  partman-auto-lvm/guided_size partman-auto-lvm/new_vg_name partman-auto-lvm/no_boot partman-auto-raid/raidnum
  partman-auto-raid/recipe partman-crypto/cipher partman-crypto/create/partitions partman-crypto/crypto_type
  partman-crypto/entropy partman-crypto/install_udebs_low_mem partman-crypto/ivalgorithm
  partman-crypto/keyhash partman-crypto/keysize partman-crypto/keytype partman-crypto/mainmenu
  partman-crypto/nested_opal partman-crypto/nothing_to_setup partman-crypto/opal-psid
  partman-crypto/passphrase partman-crypto/tools_missing partman-crypto/use_random_for_nonswap
  partman-iscsi/login/address partman-iscsi/login/all_targets partman-iscsi/login/incoming_password
  partman-iscsi/login/incoming_username partman-iscsi/login/password partman-iscsi/login/targets
  partman-iscsi/login/username partman-iscsi/mainmenu partman-lvm/lvcreate_name partman-lvm/lvcreate_size
  partman-lvm/vgcreate_name partman-lvm/vgcreate_parts partman/alignment pkgsel/include/install-recommends
  pkgsel/updatedb preseed/interactive rescue/assemble-raid rescue/enable rescue/menu rescue/passphrase
  rescue/root rescue/separate-fs simple-cdd/profiles systemd-boot-installer/skip systemd-boot-installer/tries
`)

/** The answer would change the image in a way that is not implemented. */
export const unsupported: ReadonlySet<string> = words(`
  apt-setup/multiarch base-installer/debootstrap_script base-installer/debootstrap_variant
  base-installer/excludes base-installer/kernel/linux/link_in_boot keyboard-configuration/ctrl_alt_bksp
`)
